/** `operators.default_deferrable` of the installation: operators that can wait without a slot do, where they don't say. */
const TRUE = ["true", "t", "1"];

/** The processes that run tasks get the setting under Airflow's name. */
export function defaultDeferrable(): boolean {
  // biome-ignore lint/style/noProcessEnv: the SDK has no other way to the settings of its host
  return TRUE.includes((process.env.AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE ?? "").trim().toLowerCase());
}
