import type { Store } from '@certwright/core';
import type { Queries } from './reader.ts';

/** What is named in one call. */
const MAX_STALE_CRLS = 1_000;
const MAX_STALE_PIECES = 1_000;

export function authorityReads({ db, run, first, select }: Queries): Store['authorities'] {
  return {
    list: () => select('ca', {}, 'order by "id"'),
    bySlug: (slug) => first('ca', { slug }),
    byId: (id) => first('ca', { id }),
    key: (id) => first('key', { id }),
    responders: (caId) => select('responder', { caId }, 'order by "id" desc limit 100'),
    crl: (caId, partition) =>
      first('crl', { caId, partition }, 'and "size" is not null order by "number" desc limit 1'),
    lastCrl: (caId, partition) => first('crl', { caId, partition }, 'order by "number" desc limit 1'),

    async crlDer({ id, size }) {
      if (size === null) return undefined;
      const der = new Uint8Array(size);
      let at = 0;
      for (let position = 0; at < size; position++) {
        const piece = await first('crlPiece', { crlId: id, position });
        if (piece === undefined || at + piece.octets.length > size) return undefined;
        der.set(piece.octets, at);
        at += piece.octets.length;
        // a piece is read and copied in about a millisecond; others have their turn in between
        if (at < size) await new Promise(setImmediate);
      }
      return der;
    },

    async staleCrls(caId, partition) {
      const ofPartition = db.selectFrom('crls').where('ca_id', '=', caId).where('partition', '=', partition);
      const newestSigned = ofPartition.select((max) => max.fn.max('number').as('newest')).where('size', 'is not', null);
      const stale = ofPartition.select('id').where('number', '<', newestSigned);
      const rows = await run(stale.orderBy('number').limit(MAX_STALE_CRLS));
      const crls = rows.map(([id]) => Number(id));
      const found = await run(
        db
          .selectFrom('crl_pieces')
          .select('id')
          // or left by a process that died after its row had been removed as out of date
          .where((piece) =>
            piece.or([piece('crl_id', 'in', stale), piece('crl_id', 'not in', db.selectFrom('crls').select('id'))]),
          )
          .limit(MAX_STALE_PIECES),
      );
      const pieces = found.map(([id]) => Number(id));
      return { crls: pieces.length < MAX_STALE_PIECES ? crls : [], pieces };
    },
  };
}

export function idempotencyReads({ first }: Queries): Store['idempotency'] {
  return { byScope: (scope) => first('idempotency', { scope }) };
}

export function settingReads({ first }: Queries): Store['settings'] {
  return { byName: (name) => first('setting', { name }) };
}
