/** docs/reference/cli.md, generated from the command tree. */
import type { Argument, Command, Option } from 'commander';
import { EXIT_MEANINGS } from '../src/exit-codes.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const argumentText = (argument: Argument): string =>
  argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;

function optionRow(option: Option): string {
  const { flags, description, mandatory, defaultValue, argChoices, envVar } = option;
  const hasDefault =
    defaultValue !== undefined && defaultValue !== '' && !(Array.isArray(defaultValue) && defaultValue.length === 0);
  const notes = [
    mandatory ? 'required' : '',
    argChoices === undefined ? '' : `one of ${argChoices.map((value) => `\`${value}\``).join(', ')}`,
    hasDefault ? `default \`${String(defaultValue)}\`` : '',
    envVar === undefined ? '' : `also \`${envVar}\``,
  ].filter((note) => note !== '');
  return `| \`${cell(flags)}\` | ${cell(description)}${notes.length === 0 ? '' : ` (${cell(notes.join('; '))})`} |`;
}

function section(command: Command, path: string): string[] {
  const children = command.commands.filter((child) => child.name() !== 'help');
  if (children.length > 0) return children.flatMap((child) => section(child, `${path} ${child.name()}`));
  const usage = [path, ...command.registeredArguments.map(argumentText), '[options]'].join(' ');
  return [
    `## ${path}`,
    '',
    `\`${usage}\``,
    '',
    `${command.description().charAt(0).toUpperCase()}${command.description().slice(1)}.`,
    '',
    ...(command.options.length === 0
      ? []
      : ['| option | meaning |', '|---|---|', ...command.options.map(optionRow), '']),
  ];
}

/** The reference page as Markdown. */
export function referencePage(program: Command): string {
  return [
    '# certwright: commands',
    '',
    'Made from the program itself (`certwright help`); a test keeps it true. Every operating command takes `--json`, which writes one JSON document to standard output (`sandbox` always does); errors go to standard error, as `{"error": {"code", "message", "hint"}}` with `--json`.',
    '',
    'Operating commands talk to the management API: to the Unix socket `manage.sock` in `--data` when they run on the server, or to `--url` with the access token of an administrator’s credential. `backup`, `restore` and `audit verify` open the database themselves.',
    '',
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...EXIT_MEANINGS.map(([code, meaning]) => `| ${code} | ${meaning} |`),
    '',
    ...section(program, program.name()),
  ].join('\n');
}
