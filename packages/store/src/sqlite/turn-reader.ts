import type { SqlValue } from '../schema/columns.ts';
import type { SqliteConnection } from './database.ts';

/**
 * Reads of one turn of the event loop share a read transaction: taking and leaving the locks of one costs as much as
 * a short query. Whoever learns of a commit within the turn must not read from before it: `end` comes first then.
 */
export class TurnReader {
  readonly #connection: SqliteConnection;
  #isOpen = false;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  all(sql: string, parameters: readonly SqlValue[]): readonly (readonly SqlValue[])[] {
    if (!this.#isOpen) {
      this.#connection.run('begin', []);
      this.#isOpen = true;
      setImmediate(() => this.end());
    }
    return this.#connection.all(sql, parameters);
  }

  /** Ends the transaction; the next read sees all that was committed until then. */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    // a statement that failed may have ended it
    if (this.#connection.isTransaction) this.#connection.run('commit', []);
  }
}
