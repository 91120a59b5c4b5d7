/**
 * Environment variables that the stacks set for each function. A function has only those of resources that it may use;
 * reading another one throws at start, so that the mistake shows early.
 */
export type EnvironmentName =
  | "INSTANCES_TABLE"
  | "TENANTS_TABLE"
  | "TRANSIENTS_TABLE"
  | "VAULT_KEY_ARN"
  /** The work queue; the name is from when it carried refreshes alone. */
  | "REFRESH_QUEUE_URL"
  | "AUDIT_QUEUE_URL"
  | "RESCUE_BUCKET"
  | "EVENT_BUS_NAME"
  | "REFRESH_SHARDS"
  | "ACTIVE_WINDOW_DAYS"
  | "TENANT_REQUESTS_PER_MINUTE"
  | "CONNECTOR_METRICS"
  | "STAGE";

/** @throws {Error} the variable is not set: a stack forgot it */
export function environment(name: EnvironmentName): string {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`environment variable ${name} is not set`);
  return value;
}
