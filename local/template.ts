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

/** The model of the synthesized stacks, with all intrinsic functions resolved. */
export interface Template extends DataModel {
  readonly functions: readonly FunctionModel[];
  readonly eventSources: readonly EventSourceModel[];
  readonly schedules: readonly ScheduleModel[];
  readonly pipes: readonly PipeModel[];
  readonly api: ApiModel;
  readonly stacks: readonly { readonly name: string; readonly outputs: Readonly<Record<string, string>> }[];
}

/**
 * Makes a model of the stacks. Throws for anything that AWS would refuse or that the platform does not
 * know; ignores nothing silently.
 * @param options queueUrl: returns the URL of the queue with this name; outputs and environments contain it
 * @throws {UnsupportedTemplate} the message names the resource
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
