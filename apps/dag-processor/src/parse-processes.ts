/**
 * The parse child and its limits: a file that takes too long or too much memory is blamed alone, and the next file gets
 * a fresh child. A child is recycled after some files, because what they load stays in it.
 */
import type { ChildProcess } from "node:child_process";
import type { Environment, spawnUserCodeProcess as Spawn } from "@updraft/service-kit";
import type { ParseAnswer, ParseRequest } from "./parse-child/protocol.ts";

export interface ParseProcessesOptions {
  readonly spawn: typeof Spawn;
  readonly environment: Environment;
  readonly dataFolder: string;
  readonly timeoutSeconds: number;
}

export interface ParseProcesses {
  /** Never rejects: what breaks the child is an answer as well. */
  parse(request: Omit<ParseRequest, "id">): Promise<ParseAnswer>;
  close(): void;
}

const MAIN = new URL("./parse-child/main.ts", import.meta.url);
const MEMORY_MB = 512;
const FILES_PER_CHILD = 100;
const KEPT_CHARACTERS = 2000;

interface Child {
  readonly process: ChildProcess;
  lastWords: string;
  files: number;
}

export function createParseProcesses(options: ParseProcessesOptions): ParseProcesses {
  let child: Child | null = null;
  let lastId = 0;
  let queue: Promise<unknown> = Promise.resolve();

  function current(): Child {
    if (child !== null && child.files < FILES_PER_CHILD) return child;
    discard();
    const { spawn, environment, dataFolder } = options;
    const started = spawn({ main: MAIN, environment, dataFolder, nodeFlags: [`--max-old-space-size=${MEMORY_MB}`] });
    child = { process: started, lastWords: "", files: 0 };
    keepWords(child);
    return child;
  }

  function discard(): void {
    const pid = child?.process.pid;
    child = null;
    if (pid === undefined) return;
    try {
      // The group: a file may have started programs.
      process.kill(-pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  }

  async function parseOne(request: Omit<ParseRequest, "id">): Promise<ParseAnswer> {
    lastId += 1;
    const used = current();
    used.files += 1;
    const answer = await ask(used, { id: lastId, ...request }, options.timeoutSeconds);
    if (answer !== "broken") return answer;
    const stack_trace = wordsOfEnd(used, options.timeoutSeconds);
    discard();
    return { id: lastId, kind: "failed", stack_trace };
  }

  return {
    parse(request) {
      const result = queue.then(() => parseOne(request));
      queue = result.catch(() => undefined);
      return result;
    },
    close: discard,
  };
}

function keepWords(child: Child): void {
  for (const stream of [child.process.stdout, child.process.stderr]) {
    stream?.on("data", (data: Buffer) => {
      child.lastWords = (child.lastWords + data.toString()).slice(-KEPT_CHARACTERS);
    });
  }
}

function ask(
  { process: child }: Child,
  request: ParseRequest,
  timeoutSeconds: number,
): Promise<ParseAnswer | "broken"> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => end("broken"), timeoutSeconds * 1000);
    const onMessage = (message: unknown) => {
      if ((message as ParseAnswer).id === request.id) end(message as ParseAnswer);
    };
    const onEnd = () => end("broken");
    function end(answer: ParseAnswer | "broken"): void {
      clearTimeout(timer);
      child.off("message", onMessage);
      child.off("exit", onEnd);
      child.off("error", onEnd);
      resolve(answer);
    }
    child.on("message", onMessage);
    child.once("exit", onEnd);
    child.once("error", onEnd);
    child.send(request, (error) => error !== null && end("broken"));
  });
}

function wordsOfEnd({ process: child, lastWords }: Child, timeoutSeconds: number): string {
  if (/heap out of memory|Reached heap limit/i.test(lastWords)) {
    return `Reading the file took more than ${MEMORY_MB} MB of memory. Do heavy work inside tasks, not at the top of the file.`;
  }
  if (child.exitCode === null && child.signalCode === null) {
    return `Reading the file took longer than ${timeoutSeconds} s and was stopped. Do slow work inside tasks, not at the top of the file.`;
  }
  const how = child.signalCode === null ? `exit code ${child.exitCode}` : String(child.signalCode);
  return `Reading the file ended its process (${how}).${lastWords === "" ? "" : `\n${lastWords.trim()}`}`;
}
