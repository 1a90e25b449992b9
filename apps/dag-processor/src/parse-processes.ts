/**
 * The parse children. A file that takes too long or too much memory is blamed alone, and the next file gets a fresh
 * child. A child is recycled after some files, because what they load stays in it, and ends when nothing is to be read.
 */
import type { ParseAnswer, ParseRequest } from "./parse-child/protocol.ts";
import { ParseChild, type ParseChildOptions } from "./parse-child-handle.ts";

export interface ParseProcesses {
  /** What breaks the child is an answer as well; rejects only when closed. As many children as calls at once. */
  parse(request: ParseRequest): Promise<ParseAnswer>;
  close(): Promise<void>;
}

const FILES_PER_CHILD = 100;
const IDLE_MS = 10_000;

export function createParseProcesses(options: ParseChildOptions): ParseProcesses {
  const idle: ParseChild[] = [];
  const busy = new Set<ParseChild>();
  const closing = new AbortController();

  function take(): ParseChild {
    let child = idle.pop();
    while (child !== undefined && !child.isAlive) {
      void child.kill();
      child = idle.pop();
    }
    const taken = child ?? new ParseChild(options);
    busy.add(taken);
    return taken;
  }

  function giveBack(child: ParseChild, usable: boolean): void {
    busy.delete(child);
    if (!usable || child.files >= FILES_PER_CHILD) {
      void child.kill();
      return;
    }
    idle.push(child);
    void endIfIdle(child, child.files);
  }

  async function endIfIdle(child: ParseChild, files: number): Promise<void> {
    await options.clock.sleep(IDLE_MS, closing.signal);
    const index = idle.indexOf(child);
    if (index < 0 || child.files !== files) return;
    idle.splice(index, 1);
    await child.kill();
  }

  /** What a killed child was reading is not to blame. */
  function assertOpen(): void {
    if (closing.signal.aborted) throw new Error("The dag-processor is stopping and reads no more files.");
  }

  async function parse(request: ParseRequest): Promise<ParseAnswer> {
    assertOpen();
    const child = take();
    const end = await child.parse(request);
    assertOpen();
    giveBack(child, end.kind === "reply" && !end.littered);
    if (end.kind === "reply") return end.answer;
    // What an earlier file left in the child may have been what broke it: a fresh one tells.
    if (end.kind === "died" && child.files > 1) return parse(request);
    return { kind: "failed", stack_trace: end.reason };
  }

  return {
    parse,
    async close() {
      closing.abort();
      await Promise.all([...idle.splice(0), ...busy].map((child) => child.kill()));
    },
  };
}
