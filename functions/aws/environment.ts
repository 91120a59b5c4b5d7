/**
 * Environment variables that the stacks set. A function has only the variables of resources that it may use;
 * reading another variable throws, so that the mistake shows early.
 */
export type EnvironmentName =
  | "INSTANCES_TABLE"
  | "TENANTS_TABLE"
  | "TRANSIENTS_TABLE"
  | "VAULT_KEY_ARN"
  /** The work queue. The variable has an old name: the queue used to carry refreshes only. */
  | "REFRESH_QUEUE_URL"
  | "AUDIT_QUEUE_URL"
  | "RESCUE_BUCKET"
  | "EVENT_BUS_NAME"
  | "REFRESH_SHARDS"
  | "ACTIVE_WINDOW_DAYS"
  | "TENANT_REQUESTS_PER_MINUTE"
  | "CONNECTOR_METRICS"
  | "STAGE";

/** @throws {Error} the variable is not set: a mistake in a stack */
export function environment(name: EnvironmentName): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`environment variable ${name} is not set`);
  return value;
}
