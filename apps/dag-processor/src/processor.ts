/**
 * What becomes of DAG files. A file is read again only when something that went into it changed, known by size and
 * time first and by content then; unchanged files cost a `stat` of their inputs.
 */
import { randomUUID } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Announcer, DagFileStore } from "@updraft/metadata-store";
import type { Clock, Config, Logger } from "@updraft/service-kit";
import { type BundledFile, BundleError, bundleFile } from "./bundle-file.ts";
import { listDagFiles } from "./dag-folder.ts";
import { FileQueue } from "./file-queue.ts";
import { createLook, type InputStats, isUnchanged, statInputs } from "./input-stats.ts";
import type { ParseAnswer } from "./parse-child/protocol.ts";
import type { ParseProcesses } from "./parse-processes.ts";
import { verdictOf } from "./verdict.ts";

export interface ProcessorOptions {
  readonly config: Config;
  readonly store: DagFileStore;
  readonly announcer: Announcer;
  readonly parser: ParseProcesses;
  /** Files read at once. */
  readonly lanes: number;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Hears how long a file took, in seconds. */
  readonly onParsed: (seconds: number) => void;
  /** Hears of everything that a file is made of. */
  readonly onInputs: (paths: readonly string[]) => void;
}

const BUNDLE_NAME = "dags-folder";
const MOST_FILES = 10_000;
const RETRY_MS = 1000;

interface KnownFile {
  /** Null where it can't be bundled: then any change may mend it, as of a file that was missing. */
  readonly inputs: InputStats | null;
  /** Of the artefact that was stored last; empty after an error. */
  readonly hash: string;
  /** The import error that was stored last. */
  readonly error: string | null;
  /** A module for others to import: it has neither DAGs nor errors. */
  readonly isHelper: boolean;
}

export class Processor {
  readonly #options: ProcessorOptions;
  readonly #known = new Map<string, KnownFile>();
  readonly #queue: FileQueue;
  #files: ReadonlySet<string> = new Set();
  /** What the store was told last; null: it must be told anew. */
  #present: string | null = null;

  constructor(options: ProcessorOptions) {
    const { lanes, logger, clock } = options;
    this.#options = options;
    this.#queue = new FileQueue({ process: (file) => this.#process(file), lanes, retryMs: RETRY_MS, logger, clock });
  }

  /** Finds what changed in the folder and has it processed; resolves before that is done. */
  async sweep(): Promise<void> {
    const files = await listDagFiles(this.#options.config.dagsFolder, MOST_FILES);
    this.#files = new Set(files);
    for (const file of this.#known.keys()) if (!this.#files.has(file)) this.#known.delete(file);
    const look = createLook();
    for (const file of files) {
      const inputs = this.#known.get(file)?.inputs ?? null;
      if (inputs === null || !(await isUnchanged(inputs, look))) this.#queue.add(file);
    }
    await this.#removeGone();
  }

  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  async #removeGone(): Promise<void> {
    const { store, announcer } = this.#options;
    const files = [...this.#files].filter((file) => this.#known.get(file)?.isHelper !== true);
    const present = files.join("\n");
    if (present === this.#present) return;
    announcer.announce(await store.removeFilesExcept(BUNDLE_NAME, files));
    this.#present = present;
  }

  async #process(file: string): Promise<void> {
    const { config, clock, onInputs } = this.#options;
    const begunAt = clock.now();
    try {
      const bundled = await bundleFile(config.dagsFolder, file);
      onInputs(bundled.inputs);
      const inputs = await statInputs(bundled.inputs, begunAt, clock.now());
      const known = this.#known.get(file);
      if (known?.hash === bundled.hash) this.#known.set(file, { ...known, inputs });
      else await this.#read(file, bundled, { inputs, begunAt });
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      await this.#saveError(file, error.message, null);
    }
    if (this.#files.has(file)) return;
    // It was removed while it was read, and so must what was just stored.
    this.#present = null;
    await this.#removeGone();
  }

  async #read(
    file: string,
    bundled: BundledFile,
    { inputs, begunAt }: { readonly inputs: InputStats; readonly begunAt: number },
  ): Promise<void> {
    const { config, store, announcer, logger, clock, onParsed } = this.#options;
    const verdict = verdictOf(await this.#parse(file, bundled), bundled.source);
    const seconds = (clock.now() - begunAt) / 1000;
    onParsed(seconds);
    logger.info({ file, seconds, outcome: verdict.kind }, "read a DAG file");
    if (verdict.kind === "error") return this.#saveError(file, verdict.stack_trace, inputs);
    if (verdict.kind === "dags") {
      const saved = {
        relative_fileloc: file,
        fileloc: resolve(config.dagsFolder, file),
        bundle_name: BUNDLE_NAME,
        dags: verdict.dags,
        artefact_hash: bundled.hash,
        artefact_code: bundled.code,
        source_code: bundled.source,
        parse_duration_seconds: seconds,
        errors: verdict.errors,
      };
      announcer.announce(await store.saveParsedFile(saved));
    }
    const wasHelper = this.#known.get(file)?.isHelper === true;
    const isHelper = verdict.kind === "helper";
    this.#known.set(file, { inputs, hash: bundled.hash, error: null, isHelper });
    // Its DAGs, if it had any, go at once.
    if (isHelper !== wasHelper) await this.#removeGone();
  }

  async #parse(file: string, { hash, code }: BundledFile): Promise<ParseAnswer> {
    const { config, parser } = this.#options;
    const folder = join(config.dataFolder, "parse");
    // A child that has read the same text before would not run it again under the same name.
    const artefact = join(folder, `${hash}-${randomUUID()}.mjs`);
    await mkdir(folder, { recursive: true });
    await writeFile(artefact, code);
    try {
      const { maxActiveRunsPerDag, maxActiveTasksPerDag, catchupByDefault } = config;
      const defaults = {
        maxActiveRuns: maxActiveRunsPerDag,
        maxActiveTasks: maxActiveTasksPerDag,
        catchup: catchupByDefault,
        timezone: config.defaultTimezone,
        createCronDataIntervals: config.createCronDataIntervals,
        batchAssetEvents: config.batchAssetEvents,
      };
      return await parser.parse({ artefact_path: artefact, options: { relativeFileloc: file, defaults } });
    } finally {
      await rm(artefact, { force: true });
    }
  }

  async #saveError(file: string, stackTrace: string, inputs: InputStats | null): Promise<void> {
    const { store, announcer, config, logger } = this.#options;
    const known = this.#known.get(file);
    if (known?.error !== stackTrace) {
      logger.warn({ file }, "a DAG file has an import error");
      const fileloc = resolve(config.dagsFolder, file);
      const error = { relative_fileloc: file, fileloc, bundle_name: BUNDLE_NAME, stack_trace: stackTrace };
      announcer.announce(await store.saveImportError(error));
    }
    this.#known.set(file, { inputs, hash: "", error: stackTrace, isHelper: false });
  }
}
