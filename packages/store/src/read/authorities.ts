import type { Store } from '@certwright/core';
import type { Queries } from './reader.ts';

export function authorityReads({ db, run, first, select }: Queries): Store['authorities'] {
  return {
    list: () => select('ca', {}, 'order by "id"'),
    bySlug: (slug) => first('ca', { slug }),
    byId: (id) => first('ca', { id }),
    key: (id) => first('key', { id }),
    responders: (caId) => select('responder', { caId }, 'order by "id" desc limit 100'),
    crl: (caId, partition) => first('crl', { caId, partition }, 'and "der" is not null order by "number" desc limit 1'),
    lastCrl: (caId, partition) => first('crl', { caId, partition }, 'order by "number" desc limit 1'),

    async staleCrls(caId, partition) {
      const ofPartition = db.selectFrom('crls').where('ca_id', '=', caId).where('partition', '=', partition);
      const newestSigned = ofPartition.select((max) => max.fn.max('number').as('newest')).where('der', 'is not', null);
      const rows = await run(
        ofPartition.select('id').where('number', '<', newestSigned).orderBy('number').limit(1_000),
      );
      return rows.map(([id]) => Number(id));
    },
  };
}

export function idempotencyReads({ first }: Queries): Store['idempotency'] {
  return { byScope: (scope) => first('idempotency', { scope }) };
}

export function settingReads({ first }: Queries): Store['settings'] {
  return { byName: (name) => first('setting', { name }) };
}
