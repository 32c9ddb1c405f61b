/** Paths of the contract that this server knows but does not serve. */
import type { UnbuiltOperation } from '../route.ts';

const SIGNATURE = 'Document Signer Certificates';
const REPORTS = 'Reports';
const signature = (
  id: string,
  method: UnbuiltOperation['method'],
  path: string,
  summary: string,
): UnbuiltOperation => ({ id, method, path: `/signature-certificates${path}`, tag: SIGNATURE, summary });

export const UNBUILT: readonly UnbuiltOperation[] = [
  {
    id: 'reissueSslCertificate',
    method: 'POST',
    path: '/ssl-certificates/:orderId/reissue',
    tag: 'SSL/TLS Certificates',
    summary: 'Reissue with a new key or more names',
  },
  signature('createSignatureOrder', 'POST', '', 'Place a document signer order'),
  signature('cancelSignatureDraft', 'POST', '/requests/:requestId/cancel', 'Discard a draft'),
  signature('getSignatureOrder', 'GET', '/:orderId', 'Track an order'),
  signature('uploadSignatureDocuments', 'POST', '/:orderId/documents', 'Upload evidence'),
  signature('listSignatureDocuments', 'GET', '/:orderId/documents', 'Uploaded evidence'),
  signature('submitSignatureCsr', 'PUT', '/:orderId/csr', 'Attach the CSR'),
  signature('acceptSignatureAgreement', 'POST', '/:orderId/agreement', 'Accept the Subscriber Agreement'),
  signature('downloadSignatureCertificate', 'GET', '/:orderId/certificate', 'Download the certificate'),
  signature('cancelSignatureOrder', 'POST', '/:orderId/cancel', 'Withdraw an order before issuance'),
  signature('revokeSignatureCertificate', 'POST', '/:orderId/revoke', 'Revoke an issued certificate'),
  { id: 'listOrdersReport', method: 'GET', path: '/reports/orders', tag: REPORTS, summary: 'Order history' },
  { id: 'listLedger', method: 'GET', path: '/reports/ledger', tag: REPORTS, summary: 'Debit and credit movements' },
];
