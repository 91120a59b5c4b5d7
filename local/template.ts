import { type ApiModel, readApi } from "./template/api-model.ts";
import type { Assembly } from "./template/assembly.ts";
import { type DataModel, readData } from "./template/data-model.ts";
import { type FunctionModel, readFunctions, readRoles } from "./template/function-model.ts";
import { checkLimits } from "./template/limits.ts";
import { type PipeModel, readPipes } from "./template/pipe-model.ts";
import { readResources } from "./template/resources.ts";
import {
  type EventSourceModel,
  readEventSources,
  readSchedules,
  type ScheduleModel,
} from "./template/trigger-model.ts";

export { type Assembly, readAssembly } from "./template/assembly.ts";
export type { FunctionModel } from "./template/function-model.ts";

/** What the synthesized stacks say, with everything in it resolved. */
export interface Template extends DataModel {
  readonly functions: readonly FunctionModel[];
  readonly eventSources: readonly EventSourceModel[];
  readonly schedules: readonly ScheduleModel[];
  readonly pipes: readonly PipeModel[];
  readonly api: ApiModel;
  readonly stacks: readonly { readonly name: string; readonly outputs: Readonly<Record<string, string>> }[];
}

/**
 * Makes a model of the stacks. What AWS would refuse, and what the platform does not know, is an error: never passed by.
 * @param options queueUrl: where a queue of this name is; it stands in outputs and environments
 * @throws {UnsupportedTemplate} naming the resource
 */
export function readTemplate(assembly: Assembly, options: { queueUrl(name: string): string }): Template {
  const resources = readResources(assembly, options);
  const roles = readRoles(resources);
  const functions = readFunctions(assembly, resources, roles);
  const data = readData(resources);
  checkLimits(assembly, resources, { functions, roles });
  return {
    ...data,
    functions,
    eventSources: readEventSources(resources, functions, data),
    schedules: readSchedules(resources, functions, roles),
    pipes: readPipes(resources, roles, data),
    api: readApi(resources, functions),
    stacks: resources.stacks,
  };
}
