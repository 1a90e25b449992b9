/** The engine's decisions, without I/O, clock or chance. */

export { type Admission, type Candidate, type Limit, type Occupancy, pickRunnable } from "./admit.ts";
export { assert, assertNever } from "./assert.ts";
export { assetReferences, assetSchedule, isAssetConditionMet, requiresBatching } from "./asset/asset-condition.ts";
export { eventsOfOutlets, type OutletEvent, type OutletEventToWrite } from "./asset/outlet-events.ts";
export { mapPartitionKey, planPartitionedRuns, unmappedEvents } from "./asset/partition.ts";
export { type AssetRun, planAssetRuns, type QueuedAssetEvent } from "./asset/plan-asset-runs.ts";
export { timePart } from "./asset/time-part.ts";
export {
  type BackfillPlan,
  type BackfillRange,
  backfillVerdict,
  planBackfill,
  REPROCESS_BEHAVIORS,
  type ReprocessBehavior,
} from "./backfill.ts";
export { canonicalJson } from "./canonical-json.ts";
export { type ClearedRun, type ClearedTask, clearRunEffect, clearSelects, clearTaskEffect } from "./clear-effect.ts";
export { type DeadlineFacts, deadlineTime } from "./deadline.ts";
export {
  asksPast,
  decideInstance,
  type InstanceFacts,
  type InstanceVerdict,
  type RelatedInstance,
  relatedTasks,
  type StoredDecision,
} from "./decide-instance.ts";
export {
  countStates,
  evaluateDeadlock,
  evaluateRun,
  type RunEndReason,
  type RunEvaluation,
  type RunFacts,
  type UnfinishedTask,
} from "./evaluate-run.ts";
export { type FinishDecision, finishTry, hasRetriesLeft, type TryEnd, type TryFacts } from "./finish-try.ts";
export { closure, downstreamIds, findCycle, topologicalOrder, upstreamIds } from "./graph.ts";
export { answerProblem } from "./human-answer.ts";
export { hasInstance } from "./instance-window.ts";
export { isoText } from "./instant-text.ts";
export {
  evaluateMapSources,
  type MapSourceFacts,
  mappedLength,
  overLength,
} from "./map-decision.ts";
export {
  expandLength,
  type MapLengths,
  type MappedInputs,
  type MappedValue,
  mappedInputs,
  resolveMappedValue,
  type TryBinding,
} from "./mapping.ts";
export { type MappingUnit, mappingUnits } from "./mapping-unit.ts";
export {
  failFastEffect,
  markedDownstreamIsCleared,
  markRunEffect,
  skipRequestEffect,
  timeoutEffect,
} from "./mark-effect.ts";
export * from "./model.ts";
export { evaluatePast, type PastFacts, type PastVerdict, type PreviousRun } from "./past-depends.ts";
export { priorityWeights } from "./priority.ts";
export { afterDeferral, type Resumption, type TriggerEnd } from "./resume-try.ts";
export { type FailedTry, retryDelaySeconds } from "./retry-delay.ts";
export {
  awaitsRetry,
  beginGroup,
  beginRun,
  dueGroups,
  evaluateGroup,
  failedGroups,
  failedPart,
  type GroupMember,
  heldByGroup,
  NO_RETRIES,
  noteFailure,
  type RetryingGroup,
  type RunRetries,
  retryingGroups,
  retryRun,
} from "./retry-progress.ts";
export { generateRunId, runTypeOfId, validateRunId } from "./run-id.ts";
export { type RunDates, runStateEffect } from "./run-state.ts";
export { refusedRunType } from "./run-type.ts";
export { isSensorTimedOut, type SensorPlan, sensorWaitSeconds } from "./sensor-wait.ts";
export { SKIP_DECISION_KEY, skipDecision } from "./skip-decision.ts";
export { sliceIndexes } from "./slice-indexes.ts";
export {
  DAG_STATE_TRIGGER,
  DATE_TIME_TRIGGER,
  dagStateEvent,
  planTrigger,
  TIME_DELTA_TRIGGER,
  type TriggerPlan,
  timerEvent,
} from "./standard-triggers.ts";
export { isActive, isExecuting, isFinished, isWaiting } from "./state-sets.ts";
export { type StuckEffect, stuckEffect } from "./stuck-effect.ts";
export { suggest } from "./suggest.ts";
export { decideLoop, type LoopDecision, restartedLoops, type TaskLoop, taskLoops } from "./task-loop.ts";
export { clearScope, namedScope, type ScopeNames, type TaskScope, tasksOfGroup } from "./task-scope.ts";
export { distantWatchers, effectiveLeaves, type TaskShape, taskShapes } from "./task-shape.ts";
export { describeTimetable, type TimetableDescription } from "./timetable/describe-timetable.ts";
export { isLatestRun } from "./timetable/latest-run.ts";
export { hasBeat, intervalOfTick, type MissedTicks, missedTicks, tickOf } from "./timetable/missed-ticks.ts";
export { inferManualDataInterval, nextRun, type RunInfo, type ScheduleFacts } from "./timetable/next-run.ts";
export { assertTimetable, cronTimetable, deltaTimetable, parseSchedule } from "./timetable/parse-schedule.ts";
export { ScheduleError } from "./timetable/schedule-error.ts";
export { evaluateTriggerRule, type TriggerRuleVerdict, type UpstreamCounts } from "./trigger-rule.ts";
export { type DagIssue, validateDag } from "./validate-dag.ts";
export {
  type BlockingFacts,
  type BlockingReason,
  type LimitFacts,
  type PoolFacts,
  type QueueFacts,
  type RunStartFacts,
  whyNotRunning,
} from "./why-not-running.ts";
