/** The way to the Task Execution API for those who run users' code: HTTP, the SDK's client, artefacts, masking. */
export { type ArtefactCache, createArtefactCache } from "./artefact-cache.ts";
export { createExecutionHttp, type ExecutionAnswer, type ExecutionCall, type ExecutionHttp } from "./execution-http.ts";
export { createRawClient, type RevocableClient } from "./execution-raw-client.ts";
export { SecretMasker, secretsOfExtra } from "./secret-masker.ts";
