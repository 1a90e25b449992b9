/** The api-server role: REST API v2, sign-in, the Task Execution API, the UI's own API and the UI itself. */
export { hashPassword } from "./auth/passwords.ts";
export type { EventSource } from "./context.ts";
export { type ApiServer, type ApiServerOptions, createApiServer } from "./server.ts";
