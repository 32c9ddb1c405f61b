import { Command } from 'commander';
import { group, withJson } from '../context.ts';
import { type Io, json, table } from '../output.ts';
import { configOf, withConfig } from './serve.ts';

/** `certwright config …` */
export function configCommands(io: Io): Command {
  const check = withConfig(withJson(new Command('check')))
    .description('check the configuration from file, environment and flags, and list every problem')
    .action(async (options: { json?: true }, command: Command) => {
      const { describeConfig } = await import('@certwright/server');
      const effective = describeConfig(await configOf(command, io));
      if (options.json) io.out(json({ valid: true, config: effective }));
      else io.out('The configuration is valid.\n');
    });

  const schema = withJson(new Command('schema'))
    .description('write the JSON Schema of the configuration')
    .action(async () => {
      const { configSchema } = await import('@certwright/server');
      io.out(json(configSchema()));
    });

  const keys = withJson(new Command('keys'))
    .description('list every configuration key with its environment variable and default')
    .action(async (options: { json?: true }) => {
      const { CONFIG_KEYS } = await import('@certwright/server');
      io.out(
        options.json
          ? json(CONFIG_KEYS)
          : table(CONFIG_KEYS, [
              { title: 'KEY', value: (key) => key.path },
              { title: 'VARIABLE', value: (key) => key.variable },
              { title: 'DEFAULT', value: (key) => (key.default === undefined ? null : String(key.default)) },
              { title: 'MEANING', value: (key) => key.description },
            ]),
      );
    });

  return group('config', 'configuration of the server', check, schema, keys);
}
