/** Wires the use cases together. */
import { ok } from '@certwright/pki';
import { createAccountService } from './accounts/accounts.ts';
import { createAccountDirectory } from './accounts/directory.ts';
import type { AuditService, Core } from './api.ts';
import { createAuthorityService } from './authorities/authorities.ts';
import { createAuthorityDirectory } from './authorities/directory.ts';
import { createResponders } from './authorities/responders.ts';
import { createCatalog } from './catalog/catalog.ts';
import { createCertificateService } from './certificates/certificates.ts';
import { createCredentialService } from './credentials/credentials.ts';
import { createDomainService } from './domains/domains.ts';
import { MAIL_JOB } from './domains/mail-challenge.ts';
import { createDomainRegister } from './domains/registration.ts';
import { createIdempotency } from './idempotency/idempotency.ts';
import { createIssuance } from './issuance/issuance.ts';
import { createJobRunner, type JobHandler, type PeriodicTask } from './jobs/runner.ts';
import { createOrderPlacement } from './orders/create.ts';
import { createOrderService } from './orders/orders.ts';
import { createSettler } from './orders/settle.ts';
import { createOrderViews } from './orders/views.ts';
import type { CoreDependencies } from './settings.ts';
import { createCrlPublisher } from './status/crl-publisher.ts';
import { createStatusService, statusJobs, statusTasks } from './status/status.ts';
import { createCaaChecker } from './validation/caa/checker.ts';
import { createCaaGate } from './validation/caa/gate.ts';

const RESUME_EVERY_MS = 2_000;
const PRUNE_EVERY_MS = 10 * 60_000;

/** Builds the core over the given world. Starts nothing: jobs run after `core.jobs.start()`. */
export function createCore(deps: CoreDependencies): Core {
  const { store, wallClock } = deps;
  const accountDirectory = createAccountDirectory(deps);
  const authorityDirectory = createAuthorityDirectory(deps);
  const authority = async (id: number) => (await authorityDirectory.byId(id))?.ca;
  const catalog = createCatalog(deps, accountDirectory);
  const issuance = createIssuance(deps);
  const checker = createCaaChecker(deps);
  const caa = createCaaGate(deps, checker);
  const register = createDomainRegister(deps);

  const views = createOrderViews(deps, catalog);
  const settler = createSettler(deps, issuance, views, caa, authority);
  const placement = createOrderPlacement(deps, catalog, register, caa, settler);
  const orders = createOrderService(deps, placement, views, register, settler, authority);

  const domains = createDomainService(
    deps,
    { orders, onVerified: (domainIds, _origin, limit) => orders.advanceForDomains(domainIds, limit) },
    checker,
  );
  const accounts = createAccountService(deps, accountDirectory, {
    onVetted: (organizationId) => orders.advanceForOrganization(organizationId),
  });

  const responders = createResponders(deps, issuance, authorityDirectory);
  const crls = createCrlPublisher(deps, authorityDirectory);
  const status = createStatusService(deps, { directory: authorityDirectory, responders, crls });
  const audit: AuditService = { search: async (_ctx, filter, page) => ok(await store.audit.search(filter, page)) };

  const handlers: Readonly<Record<string, JobHandler>> = {
    ...domains.jobs,
    ...statusJobs(deps, { crls }),
    async 'organization.vetted'(payload) {
      if (typeof payload.organizationId === 'number') await orders.advanceForOrganization(payload.organizationId);
    },
  };
  const tasks: readonly PeriodicTask[] = [
    ...statusTasks(status),
    // not exclusive: each process looks for work that another one left, the lease on the row decides
    { name: 'certificates.resume', everyMs: RESUME_EVERY_MS, exclusive: false, run: () => settler.resume() },
    { name: 'store.prune', everyMs: PRUNE_EVERY_MS, exclusive: true, run: () => store.prune(wallClock.now()) },
  ];

  return {
    accounts,
    catalog,
    credentials: createCredentialService(deps, accountDirectory),
    orders,
    domains,
    status,
    authorities: createAuthorityService(deps, { issuance, responders, crls }),
    certificates: createCertificateService(deps, settler),
    audit,
    idempotency: createIdempotency(deps),
    jobs: createJobRunner(deps, handlers, tasks, [MAIL_JOB]),
  };
}
