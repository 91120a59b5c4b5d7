import { AwsError, refuseUnknownParameters } from "./service.ts";

/** The body of an SQS request, or one entry of a batch. */
export type Body = Record<string, unknown>;

/**
 * The entries of a batch.
 * @throws {AwsError} the batch has no entries, more than ten entries, or two entries with the same id
 */
export function batchEntries(body: Body, parameters: readonly string[]): Body[] {
  const entries = Array.isArray(body.Entries) ? (body.Entries as Body[]) : [];
  if (entries.length === 0)
    throw new AwsError(400, "EmptyBatchRequest", "There should be at least one entry in the request.");
  if (entries.length > 10)
    throw new AwsError(400, "TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.");
  for (const entry of entries) refuseUnknownParameters("the batch's entry", entry, parameters);
  const ids = entries.map((entry) => text(entry, "Id"));
  if (new Set(ids).size < ids.length)
    throw new AwsError(400, "BatchEntryIdsNotDistinct", "Two entries have the same Id.");
  return entries;
}

/** The answer of a batch has status 200 even if entries failed; it lists the failed entries separately. */
export function batchAnswer(entries: readonly Body[], act: (entry: Body) => Body): Body {
  const Successful: Body[] = [];
  const Failed: Body[] = [];
  for (const entry of entries) {
    try {
      Successful.push({ Id: entry.Id, ...act(entry) });
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      Failed.push({
        Id: entry.Id,
        Code: error.code,
        Message: error.message,
        SenderFault: error.status < 500,
      });
    }
  }
  return Failed.length > 0 ? { Successful, Failed } : { Successful };
}

/** @throws {AwsError} MissingParameter */
export function text(body: Body, name: string): string {
  const value = body[name];
  if (typeof value === "string" && value !== "") return value;
  throw new AwsError(400, "MissingParameter", `The request must contain the parameter ${name}.`);
}

/** @throws {AwsError} InvalidParameterValue */
export function integer(body: Body, name: string, least: number, most: number): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new AwsError(400, "InvalidParameterValue", `${name} must be a whole number from ${least} to ${most}`);
}

/** A list of names; empty for any other value. */
export function names(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
