/**
 * Stands between a store and Postgres and counts what passes, by the wire protocol: statements, and trips, which are
 * the times that something is sent while nothing is on its way. Times differ with the machine, these don't.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Counted {
  readonly statements: number;
  readonly trips: number;
}

export interface StatementCounter {
  /** The address of the same database by way of the counter. */
  readonly databaseUrl: string;
  /** What `work` sends, however many connections it takes. */
  count(work: () => Promise<unknown>): Promise<Counted>;
  close(): Promise<void>;
}

/** One direction of a connection, cut into messages: a type, four bytes of length, a body. */
class Messages {
  #rest = Buffer.alloc(0);
  #startsWithoutType: boolean;
  readonly #onMessage: (type: string) => void;

  constructor(startsWithoutType: boolean, onMessage: (type: string) => void) {
    this.#startsWithoutType = startsWithoutType;
    this.#onMessage = onMessage;
  }

  push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const head = this.#startsWithoutType ? 0 : 1;
      if (this.#rest.length < head + 4) return;
      const size = head + this.#rest.readInt32BE(head);
      if (this.#rest.length < size) return;
      if (head === 1) this.#onMessage(String.fromCharCode(this.#rest[0] ?? 0));
      this.#startsWithoutType = false;
      this.#rest = this.#rest.subarray(size);
    }
  }
}

export async function countStatements(databaseUrl: string): Promise<StatementCounter> {
  const { port, hostname } = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let statements = 0;
  let trips = 0;
  const server = createServer((client) => {
    const postgres = connect(Number(port), hostname);
    // Small packets that wait for an acknowledgement would make a transaction of 3 ms one of 50.
    for (const socket of [client, postgres]) socket.setNoDelay(true);
    let onTheirWay = 0;
    const fromClient = new Messages(true, (type) => {
      if (type === "B" || type === "Q") {
        statements += 1;
        if (onTheirWay === 0) trips += 1;
      }
      if (type === "S" || type === "Q") onTheirWay += 1;
    });
    const fromPostgres = new Messages(false, (type) => {
      if (type === "Z") onTheirWay = Math.max(0, onTheirWay - 1);
    });
    client.on("data", (chunk: Buffer) => fromClient.push(chunk)).pipe(postgres);
    postgres.on("data", (chunk: Buffer) => fromPostgres.push(chunk)).pipe(client);
    for (const socket of [client, postgres]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        postgres.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const counted = new URL(databaseUrl);
  counted.port = String((server.address() as AddressInfo).port);
  return {
    databaseUrl: counted.href,
    async count(work) {
      const before = { statements, trips };
      await work();
      return { statements: statements - before.statements, trips: trips - before.trips };
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
