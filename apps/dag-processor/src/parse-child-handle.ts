/** The dag-processor's end of one parse child: one file at a time, within a time and a memory limit. */
import type { ChildProcess } from "node:child_process";
import { type Clock, type Environment, spawnUserCodeProcess } from "@updraft/service-kit";
import type { ParseReply, ParseRequest } from "./parse-child/protocol.ts";

export interface ParseChildOptions {
  readonly environment: Environment;
  /** Names to hand on beside the usual ones: a file reads the same where it runs. */
  readonly allowedNames: readonly string[];
  readonly dataFolder: string;
  readonly timeoutSeconds: number;
  readonly memoryMebibytes: number;
  readonly clock: Clock;
}

export type ParseEnd =
  | ({ readonly kind: "reply" } & ParseReply)
  /** The file broke the child; why, in a sentence for its author. */
  | { readonly kind: "died" | "timed_out"; readonly reason: string };

const MAIN = new URL("./parse-child/main.ts", import.meta.url);
const KEPT_CHARACTERS = 2000;

export class ParseChild {
  /** Files read so far, with the one in hand. */
  files = 0;
  readonly #options: ParseChildOptions;
  readonly #process: ChildProcess;
  readonly #ended: Promise<void>;
  #lastWords = "";
  #isEnded = false;

  constructor(options: ParseChildOptions) {
    const { environment, allowedNames, dataFolder, memoryMebibytes } = options;
    this.#options = options;
    const nodeFlags = [`--max-old-space-size=${memoryMebibytes}`];
    this.#process = spawnUserCodeProcess({ main: MAIN, environment, allowedNames, dataFolder, nodeFlags });
    this.#ended = new Promise((resolve) => {
      const end = () => {
        this.#isEnded = true;
        resolve();
      };
      this.#process.once("exit", end);
      this.#process.on("error", (error) => {
        this.#keep(error.message);
        if (this.#process.pid === undefined) end();
      });
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on("data", (data: Buffer) => this.#keep(data.toString()));
    }
  }

  get isAlive(): boolean {
    return !this.#isEnded && this.#process.connected;
  }

  async parse(request: ParseRequest): Promise<ParseEnd> {
    this.files += 1;
    this.#lastWords = "";
    const { clock, timeoutSeconds } = this.#options;
    const over = new AbortController();
    const replied = new Promise<ParseEnd>((resolve) => {
      this.#process.once("message", (message) => resolve({ kind: "reply", ...(message as ParseReply) }));
    });
    const died = this.#ended.then((): ParseEnd => ({ kind: "died", reason: this.#wordsOfDeath() }));
    const tooLate = clock.sleep(timeoutSeconds * 1000, over.signal).then(
      (): ParseEnd => ({
        kind: "timed_out",
        reason: `Reading the file took longer than ${timeoutSeconds} s and was stopped. Do slow work inside tasks, not at the top of the file.`,
      }),
    );
    // A child that is ending can't be told anything; its exit says the rest.
    this.#process.send(request, () => undefined);
    const end = await Promise.race([replied, died, tooLate]);
    over.abort();
    return end;
  }

  /** Resolves when the child, and what its files started in its group, is gone. */
  async kill(): Promise<void> {
    const { pid } = this.#process;
    if (pid !== undefined) {
      try {
        process.kill(-pid, "SIGKILL");
      } catch {
        // Nothing of the group is left.
      }
    }
    await this.#ended;
  }

  #keep(text: string): void {
    this.#lastWords = (this.#lastWords + text).slice(-KEPT_CHARACTERS);
  }

  #wordsOfDeath(): string {
    const { exitCode, signalCode } = this.#process;
    if (/heap out of memory|Reached heap limit/i.test(this.#lastWords)) {
      return `Reading the file took more than ${this.#options.memoryMebibytes} MB of memory. Do heavy work inside tasks, not at the top of the file.`;
    }
    const how = signalCode === null ? `exit code ${exitCode}` : signalCode;
    return `Reading the file ended its process (${how}).\n${this.#lastWords.trim()}`.trim();
  }
}
