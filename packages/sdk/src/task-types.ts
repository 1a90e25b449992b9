/**
 * The words of authoring: refs, factories, groups and deciders, generic in the options a dialect allows (`TS`).
 *
 * Refs are inert and frozen: they name a task for wiring and never hold its value.
 */
import type { JsonCompatible, JsonValue } from "./json.ts";
import type { TaskDeferralError } from "./waiting.ts";

/** The inputs of a handler without parameters, which is what TypeScript infers for one. */
// biome-ignore lint/suspicious/noConfusingVoidType: Airflow's SDK says it so; files typed against it must compile.
export type NoInputs = void;
export type Inputs = object | NoInputs;

/** What a task runs: one object of named inputs in, a JSON value out. */
// biome-ignore lint/suspicious/noExplicitAny: handlers of any argument type share one table, as in Airflow's SDK.
export type TaskFunction<A = any, R = unknown> = (args: A) => R | Promise<R>;

/** Anything edges can be drawn from and to. */
export interface Node {
  readonly dagId: string;
  before(...downstream: readonly Node[]): Node;
  after(...upstream: readonly Node[]): Node;
}

/** A placed task. `R` is what its handler returns. */
export interface TaskRef<R = unknown> extends Node {
  readonly taskId: string;
  /** Only for the compiler; no ref has a value. */
  readonly __result?: R;
  before(...downstream: readonly Node[]): TaskRef<R>;
  after(...upstream: readonly Node[]): TaskRef<R>;
}

export interface TeardownOptions {
  /** The setups it undoes; each becomes a setup and comes before it. */
  readonly setups?: TaskRef | readonly TaskRef[] | undefined;
  /** Its failure fails the run; otherwise teardowns don't count. Default false. */
  readonly onFailureFailDagrun?: boolean | undefined;
}

/** What a task or group can be mapped over. */
export type Mappable = TaskRef | MapExpression | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A list that is known when the Dag runs. */
export interface MapExpression {
  /** Each item through a function, which may `skip()` it. */
  map<T, U>(apply: (item: T) => U): MapExpression;
  /** Lists of one item of each, as long as the shortest. */
  zip(...others: readonly Mappable[]): MapExpression;
  /** As long as the longest, with `fillvalue` for what is missing. */
  zipLongest(fillvalue: JsonValue, ...others: readonly Mappable[]): MapExpression;
  /** One after the other. */
  concat(...others: readonly Mappable[]): MapExpression;
}

/** How a task becomes one instance for each item. */
export interface Expandable<A extends Inputs, R> {
  /** One instance for each combination, the last input varying fastest. */
  expand(inputs: { readonly [K in keyof A]?: Mappable }): UpdraftTaskRef<R>;
  /** One instance for each dict of a list, whose keys are names of inputs. */
  expandKwargs(source: Mappable, options?: { readonly strict?: boolean | undefined }): UpdraftTaskRef<R>;
}

export interface ExpandableTask<A extends Inputs, R> extends Expandable<A, R> {
  /** Inputs that are the same for all instances. */
  partial(inputs: Partial<TaskInputs<A>>): Expandable<A, R>;
}

type ExpandableOf<TS, A extends Inputs, R> = "isolation" extends keyof TS ? ExpandableTask<A, R> : unknown;

/** What `@updraft/sdk` adds to a placed task. */
export interface UpdraftTaskRef<R = unknown> extends TaskRef<R>, MapExpression {
  before(...downstream: readonly Node[]): UpdraftTaskRef<R>;
  after(...upstream: readonly Node[]): UpdraftTaskRef<R>;
  /** Every task between it and its teardown needs its success. */
  asSetup(): UpdraftTaskRef<R>;
  /** Runs when everything between its setups and itself is over, however that ended, unless no setup succeeded. */
  asTeardown(options?: TeardownOptions): UpdraftTaskRef<R>;
}

/** The ref of a task in the dialect that has the options `TS`. */
export type RefOf<TS, R> = "isolation" extends keyof TS ? UpdraftTaskRef<R> : TaskRef<R>;

export type TaskInput<T> = TaskRef | JsonCompatible<T>;
export type TaskInputs<A> = { [K in keyof A]-?: TaskInput<Exclude<A[K], undefined>> };

/** Places the declared task; every task is placed exactly once. */
export type TaskFactory<A extends Inputs = NoInputs, R = unknown, Ref = TaskRef<R>> = [A] extends [NoInputs]
  ? () => Ref
  : (inputs: TaskInputs<A>) => Ref;

/** How an operator chooses among the tasks downstream of it. */
export type OperatorDecision =
  | { readonly kind: "branch" }
  | { readonly kind: "shortCircuit"; readonly ignoreDownstreamTriggerRules: boolean }
  | { readonly kind: "latestOnly" };

/** A ready-made task such as `bash(...)` or `triggerDagRun(...)`. */
export interface Operator<A extends Inputs = NoInputs, R = unknown> {
  /** Airflow's class name, shown as the operator of the task. */
  readonly operatorName: string;
  /** A line for the UI, such as the command. Never a resolved secret. */
  readonly detail: string | null;
  readonly takesInputs: boolean;
  readonly isEmpty: boolean;
  readonly decides: OperatorDecision | null;
  readonly execute: (args: A) => R | Promise<R>;
  /** How the task goes on after a wait, by the names that `defer` gives. */
  readonly methods?: Readonly<Record<string, ResumeMethod<A>>> | undefined;
  /** What a failed deferral means; unset: the task fails with the error. */
  readonly onDeferralError?: ((error: TaskDeferralError) => unknown) | undefined;
  /** Whether it may skip what comes after it. */
  readonly canSkipDownstream?: boolean | undefined;
  /** Task options that make no sense for it. */
  readonly refusedOptions?: readonly string[] | undefined;
}

/** What a resumed task gets: the event that its trigger fired, what `defer` kept for it, and its inputs. */
export interface Resumption<A = unknown> {
  readonly event: JsonValue;
  readonly kwargs: Readonly<Record<string, JsonValue>>;
  readonly inputs: A;
}
// biome-ignore lint/suspicious/noExplicitAny: methods of tasks of any inputs share one table.
export type ResumeMethod<A = any> = (resumption: Resumption<A>) => unknown;

type FactoryOf<TS, A extends Inputs, R> = TaskFactory<A, R, RefOf<TS, R>> & ExpandableOf<TS, A, R>;

/** Every overload of `dag.task` and `group.task`. */
export interface TaskMethod<TS> {
  <A extends Inputs = NoInputs, R = unknown>(
    taskId: string,
    handler: (args: A) => R | Promise<R>,
    options?: TS,
  ): FactoryOf<TS, A, R>;
  <A extends Inputs = NoInputs, R = unknown>(handler: (args: A) => R | Promise<R>, options?: TS): FactoryOf<TS, A, R>;
  <A extends Inputs, R>(taskId: string, operator: Operator<A, R>, options?: TS): FactoryOf<TS, A, R>;
  <A extends Inputs, R>(operator: Operator<A, R>, options: TS): FactoryOf<TS, A, R>;
}

type Awaitable<T> = T | Promise<T>;

/**
 * `dag.if`. The overloads stand apart because a conditional rest tuple keeps TypeScript from inferring the inputs of
 * an inline `function`.
 */
export interface IfMethod<TS> {
  (decide: () => Awaitable<boolean>, inputs?: undefined, options?: TS): Condition;
  <A extends object>(decide: (args: A) => Awaitable<boolean>, inputs: TaskInputs<NoInfer<A>>, options?: TS): Condition;
  (placed: TaskRef<boolean>): Condition;
}

/** `dag.switch`. */
export interface SwitchMethod<TS> {
  (decide: () => Awaitable<TaskRef>, inputs?: undefined, options?: TS): Branch;
  <A extends object>(decide: (args: A) => Awaitable<TaskRef>, inputs: TaskInputs<NoInfer<A>>, options?: TS): Branch;
  (placed: TaskRef<TaskRef>): Branch;
}

/** The inputs and options that follow the handler of a decider. */
export type DeciderArgs<A extends Inputs, TS> = [A] extends [NoInputs]
  ? [inputs?: undefined, options?: TS]
  : [inputs: TaskInputs<A>, options?: TS];

export interface TaskGroupOptions {
  /** False leaves the ids of the group's tasks bare. Default true. */
  readonly prefixGroupId?: boolean | undefined;
}

/** What `@updraft/sdk` adds: the whole group once for each item (give one of the two), and again when it failed. */
export interface UpdraftTaskGroupOptions extends TaskGroupOptions {
  readonly expand?: { readonly [name: string]: Mappable } | undefined;
  readonly expandKwargs?: Mappable | undefined;
  /** How often the group runs again after a task of it failed for good. Default 0. */
  readonly retries?: number | undefined;
  /** Seconds before each. Default 300. */
  readonly retryDelay?: number | undefined;
}

/** The options of a group in the dialect that has the options `TS`. */
export type GroupOptionsOf<TS> = "isolation" extends keyof TS ? UpdraftTaskGroupOptions : TaskGroupOptions;

interface MappedInputs {
  /** What the group is mapped over by that name, as an input of a task in it. */
  mapped<T>(name: string): T;
}

/** The ref of a group in the dialect that has the options `TS`. */
export type GroupRefOf<TS> = TaskGroupRefOf<TS> & ("isolation" extends keyof TS ? MappedInputs : unknown);

export interface TaskGroupRefOf<TS> extends Node {
  /** Fully qualified. */
  readonly groupId: string;
  readonly task: TaskMethod<TS>;
  readonly if: IfMethod<TS>;
  readonly switch: SwitchMethod<TS>;
  taskGroup(groupId: string, options?: GroupOptionsOf<TS>): GroupRefOf<TS>;
  before(...downstream: readonly Node[]): TaskGroupRefOf<TS>;
  after(...upstream: readonly Node[]): TaskGroupRefOf<TS>;
}

/** A task that decides between two sides. */
export interface Condition extends Node {
  readonly taskId: string;
  then(target: TaskRef | Condition | Branch): ConditionElse;
  before(...downstream: readonly Node[]): Condition;
  after(...upstream: readonly Node[]): Condition;
}

export interface ConditionElse {
  else(target: TaskRef | Condition | Branch): void;
}

/** A task that decides between named cases. */
export interface Branch extends Node {
  readonly taskId: string;
  case(target: TaskRef): Branch;
  before(...downstream: readonly Node[]): Branch;
  after(...upstream: readonly Node[]): Branch;
}
