/** The triggerer's end of one trigger host. */
import type { ChildProcess } from "node:child_process";
import { type Environment, spawnUserCodeProcess } from "@updraft/service-kit";
import type { FromTriggerHost, ToTriggerHost } from "./protocol.ts";

export interface TriggerHostOptions {
  /** The triggerer's environment, of which little is handed on. */
  readonly environment: Environment;
  readonly allowedNames: readonly string[];
  readonly dataFolder: string;
  readonly artefactPath: string;
  readonly executionApiUrl: string;
  readonly onMessage: (message: FromTriggerHost) => void;
}

const MAIN = new URL("./trigger-host/main.ts", import.meta.url);
const KEPT_CHARACTERS = 2000;

export class TriggerHostProcess {
  /** Resolves with how it ended, in a sentence. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  #lastWords = "";

  constructor({ environment, allowedNames, dataFolder, artefactPath, executionApiUrl, onMessage }: TriggerHostOptions) {
    this.#child = spawnUserCodeProcess({ main: MAIN, environment, allowedNames, dataFolder });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (data: Buffer) => (this.#lastWords = (this.#lastWords + data).slice(-KEPT_CHARACTERS)));
    this.#child.on("message", (message) => onMessage(message as FromTriggerHost));
    this.ended = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) =>
        resolve(`The trigger host ended (${signal ?? `exit code ${code}`}). ${this.#lastWords.trim()}`.trim()),
      );
      this.#child.on("error", (error) => {
        if (this.#child.pid === undefined) resolve(`The trigger host could not be started: ${error.message}`);
      });
    });
    this.tell({ kind: "load", artefact_path: artefactPath, execution_api_url: executionApiUrl });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  tell(message: ToTriggerHost): void {
    // A host that is ending can't be told anything; its exit says the rest.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  async kill(): Promise<void> {
    const { pid } = this.#child;
    if (pid !== undefined) {
      try {
        process.kill(-pid, "SIGKILL");
      } catch {
        // Nothing of the group is left.
      }
    }
    await this.ended;
  }
}
