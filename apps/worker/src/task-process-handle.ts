/**
 * The supervisor's end of one task process.
 *
 * ```
 *   booting --booted--> idle --run--> busy --outcome--> cleaning --ready--> idle
 *      any --exit--> gone
 * ```
 */
import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import type { TaskOutcome } from "@updraft/sdk/host";
import type { Clock } from "@updraft/service-kit";
import { LineSplitter } from "./line-splitter.ts";
import type { ForcedEnd } from "./outcome.ts";
import { killMarked } from "./process-marker.ts";
import type { Assignment, FromTaskProcess, ReuseLimits, ToTaskProcess } from "./protocol.ts";

/** What a running try hears of its process. */
export interface TryListener {
  /** A line that came past the console, as from a child of the task. */
  readonly onOutput: (line: string, level: "info" | "error") => void;
  readonly onSecret: (value: string) => void;
}

export type ChildEnd =
  | { readonly kind: "outcome"; readonly outcome: TaskOutcome; readonly handlerStartedAt: number | null }
  | Extract<ForcedEnd, { kind: "exited" }>;

/** Characters of stderr that are kept to explain an exit. */
const STDERR_KEPT = 4000;
/** Between asking a process to stop and killing it. */
const KILL_AFTER_MS = 5000;

export class TaskProcess {
  /** The artefact that is loaded; undefined while the process is blank. */
  artefactHash: string | undefined;
  readonly booted: Promise<boolean>;
  /** Resolves when the process, and everything it started, is gone. */
  readonly gone: Promise<void>;
  /** Resolves after each try: null if the process may be used again, else why not. */
  ready: Promise<string | null> = Promise.resolve(null);

  readonly #child: ChildProcess;
  readonly #clock: Clock;
  #listener: TryListener | undefined;
  #lastStderr = "";
  #exited: Extract<ForcedEnd, { kind: "exited" }> | undefined;
  #onMessage: (message: FromTaskProcess) => void = () => undefined;
  #onExit: () => void = () => undefined;

  constructor(child: ChildProcess, marker: string, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
    this.booted = new Promise((resolve) => {
      this.#onMessage = (message) => message.kind === "booted" && resolve(true);
      this.#onExit = () => resolve(false);
    });
    const exited = new Promise<void>((resolve) => {
      const end = (code: number | null, signal: string | null) => {
        if (this.#exited !== undefined) return;
        this.#exited = { kind: "exited", code, signal, lastStderr: this.#lastStderr };
        this.#onExit();
        resolve();
      };
      // `close` comes after the last output; `error` alone when the process could not be started.
      child.once("close", end);
      child.on("error", (error) => {
        this.#lastStderr += error.message;
        if (child.pid === undefined) end(null, null);
      });
    });
    // A grandchild that holds stdout keeps `close` from coming, so what is left dies at `exit`.
    const startedAt = clock.now();
    const left = new Promise<void>((resolve) => {
      child.once("exit", () => {
        killGroup(child);
        resolve(killMarked(marker, { pid: child.pid ?? 0, ageMs: clock.now() - startedAt }));
      });
    });
    this.gone = exited.then(() => (child.pid === undefined ? undefined : left));
    child.on("message", (message) => this.#receive(message as FromTaskProcess));
    this.#read(child.stdout, "info");
    this.#read(child.stderr, "error");
  }

  /** 0 if the process could not be started. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.#exited === undefined && this.#child.connected;
  }

  /** Runs one try; resolves with its outcome or with how the process ended. */
  run(assignment: Assignment, limits: ReuseLimits, leaseUntil: number, listener: TryListener): Promise<ChildEnd> {
    this.#listener = listener;
    let settleReady: (retire: string | null) => void = () => undefined;
    this.ready = new Promise((resolve) => {
      settleReady = resolve;
    });
    return new Promise((resolve) => {
      this.#onMessage = (message) => {
        if (message.kind === "outcome") {
          resolve({ kind: "outcome", outcome: message.outcome, handlerStartedAt: message.handler_started_at });
        }
        if (message.kind === "ready") settleReady(message.retire);
      };
      this.#onExit = () => {
        settleReady("it ended");
        if (this.#exited !== undefined) resolve(this.#exited);
      };
      if (this.#exited !== undefined) this.#onExit();
      else this.tell({ kind: "run", assignment, limits, lease_until: leaseUntil });
    });
  }

  /** Nothing more is told to the try's listener. */
  release(): void {
    this.#listener = undefined;
  }

  tell(message: ToTaskProcess): void {
    // A process that is ending can't be told anything; its exit says the rest.
    if (this.isAlive) this.#child.send(message, () => undefined);
  }

  /** Asks the whole process group to end and kills it after a while; resolves when it is gone. */
  async stop(killAfterMs = KILL_AFTER_MS): Promise<void> {
    this.#signal("SIGTERM");
    const waiting = new AbortController();
    const killed = this.#clock.sleep(killAfterMs, waiting.signal).then(() => this.#signal("SIGKILL"));
    await this.gone;
    waiting.abort();
    await killed;
  }

  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.gone;
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#exited !== undefined || this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // The group is gone already, or not yet made: the process itself is there in that case.
      this.#child.kill(signal);
    }
  }

  #receive(message: FromTaskProcess): void {
    if (message.kind === "secret") this.#listener?.onSecret(message.value);
    else this.#onMessage(message);
  }

  #read(stream: Readable | null, level: "info" | "error"): void {
    const lines = new LineSplitter((line) => this.#listener?.onOutput(line, level));
    stream?.on("data", (chunk: Buffer) => {
      if (level === "error") this.#lastStderr = (this.#lastStderr + chunk.toString("utf8")).slice(-STDERR_KEPT);
      lines.push(chunk);
    });
    stream?.on("end", () => lines.flush());
  }
}

/** What is left of the group when its leader has ended. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing is left.
  }
}
