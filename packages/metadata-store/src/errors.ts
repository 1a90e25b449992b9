/** Errors of the store that reach a user or decide whether a call is worth repeating. */

/** Postgres can't be reached, or ended the connection. What was asked for may or may not have happened. */
export class StoreUnavailableError extends Error {
  constructor(address: string, cause: unknown) {
    super(
      `The metadata database at ${address} doesn't answer: ${cause instanceof Error ? cause.message : String(cause)}. Check that Postgres runs and that AIRFLOW__DATABASE__SQL_ALCHEMY_CONN (or DATABASE_URL) names it.`,
      { cause },
    );
    this.name = "StoreUnavailableError";
  }
}

/** The database holds a newer schema than this version knows. */
export class SchemaTooNewError extends Error {
  constructor(found: number, known: number) {
    super(
      `The metadata database has schema version ${found}, but this version of Updraft knows ${known}. Start the newer version, or use a database of its own.`,
    );
    this.name = "SchemaTooNewError";
  }
}
