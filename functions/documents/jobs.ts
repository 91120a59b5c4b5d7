import { toWire } from "../core/documents/item.ts";
import type { StartedJob } from "../core/documents/jobs.ts";
import { present } from "../core/present.ts";
import { type HttpRequest, json } from "../http/request.ts";
import { decodeSegment } from "../http/route-table.ts";
import type { HubHandle } from "./contracts.ts";
import { wireOptions } from "./parameters.ts";

/** Answers a call that has become a job. */
export function jobStarted({ baseUrl }: Pick<HttpRequest, "baseUrl">, { jobId }: StartedJob) {
  const headers = { Location: `${baseUrl}/hubs/documents/jobs/${jobId}` };
  return { ...json({ id: jobId, status: "running" as const }, headers), status: 202 };
}

export const job: HubHandle<"jobs"> = async (request, { caller: hub, query }) => {
  const { result, ...rest } = await hub.jobs.read(hub, decodeSegment(request, "jobId"));
  const item = result === undefined ? undefined : toWire(result, wireOptions(query));
  return json({ ...rest, ...present({ result: item }) });
};
