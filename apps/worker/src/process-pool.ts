/**
 * The task processes of a worker: warm ones, kept by artefact, and blank ones, booted ahead.
 *
 * A try takes the idle process that has its artefact loaded, else a blank one. Where there is none it waits for either
 * to be released or to boot: while short tries pass through, a new process would cost more than the wait, so one is
 * booted only for a try that has waited for some time, and few at once. Idle processes end after a while; the last
 * one stays, so that the next try finds it warm.
 */
import type { Clock, Logger } from "@updraft/service-kit";
import type { TaskProcess } from "./task-process-handle.ts";

export interface PoolOptions {
  readonly spawn: () => TaskProcess;
  /** Processes in use at most; one more may be booted ahead. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly idleMs?: number;
  readonly patienceMs?: number;
}

export interface PoolSizes {
  readonly idle: number;
  readonly busy: number;
  readonly booting: number;
}

export interface ProcessPool {
  /** A process of the try's own until it is released. Rejects when the pool is closed. */
  acquire(artefactHash: string, isolation: "warm" | "process"): Promise<TaskProcess>;
  /** Gives a process back; it is used again when it says it is ready for that. */
  release(process: TaskProcess): void;
  sizes(): PoolSizes;
  close(): Promise<void>;
}

interface Waiter {
  readonly artefactHash: string;
  readonly isolation: "warm" | "process";
  readonly since: number;
  readonly resolve: (process: TaskProcess) => void;
  readonly reject: (error: Error) => void;
}

const IDLE_MS = 10_000;
const PATIENCE_MS = 20;
/** More at once only take the processor from each other and from the tries that run. */
const BOOTING_AT_ONCE = 2;
/** A blank one is booted so long after the last was taken, away from the busiest moment. */
const AHEAD_AFTER_MS = 250;

export class PoolClosedError extends Error {
  constructor() {
    super("The worker is stopping and starts no more tries.");
    this.name = "PoolClosedError";
  }
}

export function createProcessPool(options: PoolOptions): ProcessPool {
  const { spawn, concurrency, clock, logger, idleMs = IDLE_MS, patienceMs = PATIENCE_MS } = options;
  /** Least recently used first. */
  const idle: { process: TaskProcess; since: number }[] = [];
  const busy = new Set<TaskProcess>();
  const singleUse = new WeakSet<TaskProcess>();
  const booting = new Set<TaskProcess>();
  const waiters: Waiter[] = [];
  const closing = new AbortController();

  const total = () => idle.length + busy.size + booting.size;

  function takeIdle(index: number): TaskProcess | undefined {
    return idle.splice(index, 1)[0]?.process;
  }

  function findFor(artefactHash: string, isolation: Waiter["isolation"]): TaskProcess | undefined {
    const warm = isolation === "warm" ? idle.findLastIndex((entry) => entry.process.artefactHash === artefactHash) : -1;
    const index = warm >= 0 ? warm : idle.findIndex((entry) => entry.process.artefactHash === undefined);
    return index < 0 ? undefined : takeIdle(index);
  }

  function handOut(
    process: TaskProcess,
    { artefactHash, isolation }: Pick<Waiter, "artefactHash" | "isolation">,
  ): TaskProcess {
    busy.add(process);
    process.artefactHash = artefactHash;
    if (isolation === "process") singleUse.add(process);
    if (isolation === "process") bootNext();
    else if (idle.length === 0) void bootAhead();
    return process;
  }

  /** Who wants a process of its own is likely followed by another such, and booting takes longer than many a task. */
  function bootNext(): void {
    const blank = idle.filter(({ process }) => process.artefactHash === undefined).length;
    for (let ready = blank + booting.size; ready < BOOTING_AT_ONCE && total() <= concurrency; ready += 1) boot();
  }

  function boot(): void {
    const process = spawn();
    booting.add(process);
    void process.gone.then(() => forget(process));
    void process.booted.then((alive) => {
      booting.delete(process);
      if (!alive) return onBootFailure();
      if (closing.signal.aborted) return void process.kill();
      becomeIdle(process);
    });
  }

  function onBootFailure(): void {
    logger.error("a task process ended while it was starting; the next is started in a second");
    void clock.sleep(1000, closing.signal).then(serveWaiters);
  }

  function becomeIdle(process: TaskProcess): void {
    idle.push({ process, since: clock.now() });
    const index = waiters.findIndex((waiter) => canServe(process, waiter));
    const waiter = waiters.splice(index, index < 0 ? 0 : 1)[0];
    if (waiter !== undefined) {
      idle.pop();
      waiter.resolve(handOut(process, waiter));
    } else {
      void shrinkLater();
    }
    serveWaiters();
  }

  function canServe({ artefactHash }: TaskProcess, waiter: Waiter): boolean {
    return artefactHash === undefined || (waiter.isolation === "warm" && waiter.artefactHash === artefactHash);
  }

  /** Boots for the oldest waiter when its patience is over, or sooner when no process is there that could help it. */
  function serveWaiters(): void {
    const [oldest] = waiters;
    if (oldest === undefined || closing.signal.aborted || booting.size >= Math.min(BOOTING_AT_ONCE, waiters.length))
      return;
    const help = oldest.isolation === "warm" && [...busy].some((process) => canServe(process, oldest));
    const waitMs = help ? oldest.since + patienceMs - clock.now() : 0;
    if (waitMs > 0) return void clock.sleep(waitMs, closing.signal).then(serveWaiters);
    if (total() > concurrency && !evict()) return;
    boot();
    serveWaiters();
  }

  /** Ends the longest idle process to make room. */
  function evict(): boolean {
    const process = takeIdle(0);
    void process?.kill();
    return process !== undefined;
  }

  async function bootAhead(): Promise<void> {
    await clock.sleep(AHEAD_AFTER_MS, closing.signal);
    const needed = idle.length === 0 && booting.size === 0 && total() <= concurrency;
    if (needed && !closing.signal.aborted) boot();
  }

  async function shrinkLater(): Promise<void> {
    await clock.sleep(idleMs, closing.signal);
    const before = clock.now() - idleMs;
    while (idle.length > 1 && (idle[0]?.since ?? Number.POSITIVE_INFINITY) <= before) evict();
  }

  function forget(process: TaskProcess): void {
    booting.delete(process);
    busy.delete(process);
    const index = idle.findIndex((entry) => entry.process === process);
    if (index >= 0) idle.splice(index, 1);
    serveWaiters();
  }

  async function takeBack(process: TaskProcess): Promise<void> {
    const unusable = await process.ready;
    const retire = singleUse.has(process) ? "it is used once" : unusable;
    busy.delete(process);
    if (retire === null && process.isAlive && !closing.signal.aborted) return becomeIdle(process);
    logger.debug({ pid: process.pid, reason: retire }, "a task process is retired");
    await process.kill();
  }

  boot();
  return {
    acquire(artefactHash, isolation) {
      if (closing.signal.aborted) return Promise.reject(new PoolClosedError());
      const process = findFor(artefactHash, isolation);
      if (process !== undefined) return Promise.resolve(handOut(process, { artefactHash, isolation }));
      return new Promise((resolve, reject) => {
        waiters.push({ artefactHash, isolation, since: clock.now(), resolve, reject });
        serveWaiters();
      });
    },
    release: (process) => void takeBack(process),
    sizes: () => ({ idle: idle.length, busy: busy.size, booting: booting.size }),
    async close() {
      closing.abort();
      for (const waiter of waiters.splice(0)) waiter.reject(new PoolClosedError());
      const all = [...idle.map((entry) => entry.process), ...busy, ...booting];
      await Promise.all(all.map((process) => process.kill()));
    },
  };
}
