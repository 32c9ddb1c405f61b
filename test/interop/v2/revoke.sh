#!/usr/bin/env bash
# A revocation shows in OCSP at once and in the CRL within seconds.
source "$(dirname "$0")/lib.sh"

name=$(fresh_name)
order=$(order_ssl "$name")
prove_by_dns "$order" "$name"
download ssl-certificates "$order"
expect 'OCSP' "$(ocsp)" good
crl_lists && fail 'the CRL lists a valid certificate'

call 204 POST "/ssl-certificates/$order/revoke" '{"reason":"key-compromise","note":"Interoperability test."}'
expect 'the status' "$(status_of ssl-certificates "$order")" revoked
expect 'OCSP' "$(ocsp)" revoked
for ((second = 0; second < 60; second++)); do
  crl_lists && exit 0
  sleep 1
done
fail 'the CRL does not list the certificate after a minute'
