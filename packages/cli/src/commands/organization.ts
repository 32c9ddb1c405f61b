import { Command, InvalidArgumentError, Option } from 'commander';
import { clientContext, group, withServer } from '../context.ts';
import { details, type Io } from '../output.ts';

interface Organization {
  readonly number: string;
  readonly name: string;
  readonly validation: string;
  readonly vettedFor: readonly string[];
  readonly vettedUntil: string | null;
}

interface CreateOptions {
  readonly account: string;
  readonly name: string;
  readonly country: string;
  readonly street?: string;
  readonly street2?: string;
  readonly locality?: string;
  readonly state?: string;
  readonly stateCode?: string;
  readonly postalCode?: string;
  readonly registrationNumber?: string;
  readonly jurisdiction?: string;
  readonly category?: string;
}

interface VetOptions {
  readonly for: readonly string[];
  readonly reject?: true;
  readonly preVettingToken?: true;
  readonly reason: string;
}

const VETTED_FOR = ['ov', 'ev', 'smime'];

function purposes(text: string): string[] {
  const values = text.split(',').map((value) => value.trim());
  const wrong = values.find((value) => !VETTED_FOR.includes(value));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`give some of ${VETTED_FOR.join(', ')}, separated by commas.`);
  return values;
}

function organizationText({ number, name, validation, vettedFor, vettedUntil }: Organization): string {
  return details([
    ['Organization', number],
    ['Name', name],
    ['Validation', validation],
    ['Vetted for', vettedFor.join(', ')],
    ['Until', vettedUntil?.slice(0, 10) ?? null],
  ]);
}

/** `certwright organization …` */
export function organizationCommands(io: Io): Command {
  const create = withServer(new Command('create'))
    .description('add an organization to an account; it then waits for vetting')
    .requiredOption('--account <number>', 'account number')
    .requiredOption('--name <name>', 'legal name')
    .requiredOption('--country <code>', 'country, two capital letters')
    .option('--street <text>', 'street address')
    .option('--street2 <text>', 'second line of the street address')
    .option('--locality <text>', 'city')
    .option('--state <text>', 'state or province')
    .option('--state-code <code>', 'code of the state or province')
    .option('--postal-code <code>', 'postal code')
    .option('--registration-number <text>', 'number in the commercial register')
    .option('--jurisdiction <code>', 'country of incorporation (EV)')
    .addOption(
      new Option('--category <category>', 'business category (EV)').choices([
        'Private Organization',
        'Government Entity',
        'Business Entity',
        'Non-Commercial Entity',
      ]),
    )
    .action(async (options: CreateOptions, command: Command) => {
      const { client, show } = clientContext(command, io);
      const { account, name, country, street, street2, locality, state, stateCode, postalCode } = options;
      const created = await client.post<Organization>(`/accounts/${encodeURIComponent(account)}/organizations`, {
        name,
        countryCode: country,
        street1: street,
        street2,
        locality,
        stateName: state,
        stateCode,
        postalCode,
        registrationNumber: options.registrationNumber,
        jurisdictionCountry: options.jurisdiction,
        businessCategory: options.category,
      });
      show(created, `${organizationText(created)}Next: certwright organization vet ${created.number} --for ov\n`);
    });

  const vet = withServer(new Command('vet'))
    .description('record the result of vetting an organization; orders that wait for it go on or are rejected')
    .argument('<number>', 'organization number')
    .addOption(
      new Option('--for <purposes>', `what it is vetted for: ${VETTED_FOR.join(', ')}`).argParser(purposes).default([]),
    )
    .option('--reject', 'vetting failed')
    .option('--pre-vetting-token', 'make a token with which its orders need no further vetting; shown once')
    .option('--reason <text>', 'note for the audit trail', '')
    .action(async (number: string, options: VetOptions, command: Command) => {
      const { client, show } = clientContext(command, io);
      const { organization, preVettingToken } = await client.post<{
        organization: Organization;
        preVettingToken: string | null;
      }>(`/organizations/${encodeURIComponent(number)}/vet`, {
        decision: options.reject ? 'rejected' : 'validated',
        vettedFor: options.reject ? [] : options.for,
        preVettingToken: options.preVettingToken ?? false,
        reason: options.reason,
      });
      const token =
        preVettingToken === null ? '' : `Pre-vetting token: ${preVettingToken}\nThe token is not shown again.\n`;
      show({ organization, preVettingToken }, organizationText(organization) + token);
    });

  return group('organization', 'organizations and their vetting', create, vet);
}
