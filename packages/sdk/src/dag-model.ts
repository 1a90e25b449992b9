/**
 * What an author has declared so far: tasks, groups, edges and decisions of one Dag.
 *
 * Everything is mutable until the Dag is read; reading checks that nothing was left half said and closes it.
 * Refs are handed out by `node-refs.ts`; this file knows only records.
 */
import type { SerializedLoop } from "@updraft/dag-core";
import type { CallSite } from "./call-site.ts";
import { errorAt } from "./call-site.ts";
import type { GroupInput } from "./group-inputs.ts";
import type { JsonValue } from "./json.ts";
import type { ExpandRecord } from "./map-sources.ts";
import { type Dialect, wrongValueIn } from "./spec-fields.ts";
import type { UpdraftDagSpec, UpdraftTaskSpec } from "./spec-types.ts";
import type { OperatorDecision, ResumeMethod, TaskFunction } from "./task-types.ts";
import type { TaskDeferralError } from "./waiting.ts";

export type InputRecord =
  | { readonly name: string; readonly task: TaskRecord }
  | { readonly name: string; readonly mapped: GroupInput }
  | { readonly name: string; readonly literal: unknown };

/** What a deciding task chooses between. */
export type Decision =
  | { readonly kind: "if"; whenTrue: TaskRecord | null; whenFalse: TaskRecord | null }
  | { readonly kind: "switch"; readonly cases: TaskRecord[] }
  | OperatorDecision;

/** The part of a task in setting up and tearing down. */
export interface SetupRole {
  isSetup: boolean;
  isTeardown: boolean;
  onFailureFailDagrun: boolean;
}

export interface TaskRecord {
  readonly kind: "task";
  readonly taskId: string;
  readonly group: GroupRecord;
  readonly handler: TaskFunction;
  readonly operatorName: string;
  readonly detail: string | null;
  readonly takesInputs: boolean;
  /** How it goes on after a wait. */
  readonly methods: Readonly<Record<string, ResumeMethod>>;
  readonly onDeferralError: ((error: TaskDeferralError) => unknown) | null;
  readonly canSkipDownstream: boolean;
  readonly isEmpty: boolean;
  readonly role: SetupRole;
  readonly spec: UpdraftTaskSpec;
  readonly site: CallSite;
  placed: boolean;
  inputs: readonly InputRecord[];
  /** What it is mapped over; null: one instance. */
  expand: ExpandRecord | null;
  decision: Decision | null;
}

export interface GroupRecord {
  readonly kind: "group";
  /** Fully qualified; null for the Dag itself. */
  readonly groupId: string | null;
  readonly label: string;
  readonly parent: GroupRecord | null;
  /** What stands before the ids of its children. */
  readonly childPrefix: string;
  /** What the whole group is mapped over. */
  readonly expand: ExpandRecord | null;
  /** How often the whole group runs again, and after how many seconds. */
  readonly retries: number;
  readonly retryDelay: number;
  readonly children: (TaskRecord | GroupRecord)[];
  /** Set when the Dag is read, where the group is a loop. */
  loop?: SerializedLoop;
}

export type Endpoint = TaskRecord | GroupRecord;
export interface Edge {
  readonly up: Endpoint;
  readonly down: Endpoint;
}

export class DagModel {
  readonly dagId: string;
  readonly spec: UpdraftDagSpec;
  readonly dialect: Dialect;
  readonly site: CallSite;
  readonly root: GroupRecord = {
    kind: "group",
    groupId: null,
    label: "",
    parent: null,
    childPrefix: "",
    expand: null,
    children: [],
    retries: 0,
    retryDelay: 300,
  };
  readonly tasks = new Map<string, TaskRecord>();
  readonly groups = new Map<string, GroupRecord>();
  /** What authors gave to `.map(...)`, in the order given. */
  readonly mapFunctions: ((value: JsonValue) => unknown)[] = [];
  /** Order edges in the order drawn, each once. Edges of inputs follow from the inputs. */
  readonly edges: Edge[] = [];
  readonly labels = new Map<string, Map<string, string>>();
  readonly #completions: (() => void)[] = [];
  readonly #drawn = new Map<Endpoint, Set<Endpoint>>();
  #read = false;

  constructor(facts: Pick<DagModel, "dagId" | "spec" | "dialect" | "site">) {
    this.dagId = facts.dagId;
    this.spec = facts.spec;
    this.dialect = facts.dialect;
    this.site = facts.site;
  }

  assertOpen(action: string): void {
    if (this.#read) throw new Error(`Can't ${action}: it comes after the Dag "${this.dagId}" was read`);
  }

  assertFree(id: string): void {
    const holder = this.tasks.has(id) ? "task" : this.groups.has(id) ? "task group" : null;
    if (holder !== null) throw new Error(`Dag "${this.dagId}" already has a ${holder} "${id}"`);
    const dot = id.lastIndexOf(".");
    const segment = id.slice(dot + 1);
    const reserved = segment === "upstream_join_id" || segment === "downstream_join_id";
    if (dot > 0 && reserved && this.groups.has(id.slice(0, dot))) {
      throw new Error(`"${id}" is reserved for the join of task group "${id.slice(0, dot)}"`);
    }
  }

  addTask(task: TaskRecord): void {
    this.tasks.set(task.taskId, task);
    task.group.children.push(task);
  }

  addGroup(group: GroupRecord & { readonly groupId: string; readonly parent: GroupRecord }): void {
    this.groups.set(group.groupId, group);
    group.parent.children.push(group);
  }

  /** Does something once everything is declared, just before the Dag is closed. */
  beforeReading(complete: () => void): void {
    this.#completions.push(complete);
  }

  /** Draws one edge; a second time is no error and changes at most the label. */
  connect(edge: Edge, label: string | null): void {
    if (edge.up === edge.down) throw new Error(`${describeEndpoint(edge.up)} can't come before itself`);
    const drawn = this.#drawn.get(edge.up) ?? new Set<Endpoint>();
    this.#drawn.set(edge.up, drawn);
    if (!drawn.has(edge.down)) this.edges.push(edge);
    drawn.add(edge.down);
    if (label === null) return;
    const from = joinId(edge.up, "downstream_join_id");
    const row = this.labels.get(from) ?? new Map<string, string>();
    this.labels.set(from, row.set(joinId(edge.down, "upstream_join_id"), label));
  }

  /** Closes the Dag for reading, once everything in it is complete. */
  finalize(): void {
    if (this.#read) return;
    for (const complete of this.#completions.splice(0)) complete();
    this.#assertDecisionsComplete();
    for (const task of this.tasks.values()) {
      if (!task.placed) {
        throw errorAt(
          task.site,
          `Task "${task.taskId}" of Dag "${this.dagId}" was declared but never called, so it has no place in the graph`,
        );
      }
    }
    this.#assertSpecValues();
    this.#read = true;
  }

  #assertDecisionsComplete(): void {
    const deciders = [...this.tasks.values()];
    const sideless = deciders.find((task) => task.decision?.kind === "if" && task.decision.whenTrue === null);
    if (sideless !== undefined) {
      throw errorAt(sideless.site, `Condition "${sideless.taskId}" of Dag "${this.dagId}" has no then(...)`);
    }
    const caseless = deciders.find((task) => task.decision?.kind === "switch" && task.decision.cases.length === 0);
    if (caseless !== undefined) {
      throw errorAt(caseless.site, `Branch "${caseless.taskId}" of Dag "${this.dagId}" has no case(...)`);
    }
  }

  #assertSpecValues(): void {
    const complaint = wrongValueIn(this.spec, this.dialect.dagFields, `Dag "${this.dagId}"`);
    if (complaint !== null) throw errorAt(this.site, complaint);
    for (const task of this.tasks.values()) {
      const wrong = wrongValueIn(task.spec, this.dialect.taskFields, `task "${task.taskId}" of Dag "${this.dagId}"`);
      if (wrong !== null) throw errorAt(task.site, wrong);
    }
  }
}

function describeEndpoint(endpoint: Endpoint): string {
  return endpoint.kind === "task" ? `Task "${endpoint.taskId}"` : `Task group "${endpoint.groupId}"`;
}

function joinId(endpoint: Endpoint, join: "upstream_join_id" | "downstream_join_id"): string {
  return endpoint.kind === "task" ? endpoint.taskId : `${endpoint.groupId}.${join}`;
}
