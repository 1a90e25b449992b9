/**
 * The queue between the engine and the workers: the port and its BullMQ adapter.
 */
export { type BullConsumerOptions, createTaskConsumer } from "./consumer.ts";
export { QueueUnreachableError } from "./errors.ts";
export type { TaskConsumer, TaskConsumerOptions, TaskMessage, TaskQueue } from "./port.ts";
export { createTaskQueue, type TaskQueueOptions } from "./queue.ts";
