// Compiles what can be published (today: pki) to dist/: JavaScript, declarations and a package.json of its own.
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

for (const name of ['pki']) {
  const folder = `${root}packages/${name}`;
  rmSync(`${folder}/dist`, { recursive: true, force: true });
  const compiled = spawnSync(
    process.execPath,
    [`${root}node_modules/typescript/bin/tsc`, '-p', `${folder}/tsconfig.build.json`],
    {
      stdio: 'inherit',
    },
  );
  if (compiled.status !== 0) process.exit(compiled.status ?? 1);
  const source = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const { name: packageName, version, license, type, dependencies } = source;
  const published = {
    name: packageName,
    version,
    license,
    type,
    sideEffects: false,
    exports: { '.': { types: './index.d.ts', default: './index.js' } },
    engines: { node: '>=24' },
    ...(dependencies === undefined ? {} : { dependencies }),
  };
  writeFileSync(`${folder}/dist/package.json`, `${JSON.stringify(published, null, 2)}\n`);
  cpSync(`${root}LICENSE`, `${folder}/dist/LICENSE`);
  await import(`${folder}/dist/index.js`);
  process.stdout.write(`built packages/${name}/dist\n`);
}
