import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, type IPolicyValidationPlugin, Validations } from "aws-cdk-lib";
import { linkspan } from "../../lib/deployment.ts";

// biome-ignore lint/suspicious/noExplicitAny: properties of resources are whatever CloudFormation says
export type Json = any;

export interface Resource {
  readonly Type: string;
  readonly Properties: Json;
  readonly DependsOn?: string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, Json>>;
}

export type Part = "data" | "api" | "refresh" | "observability";
export const parts: readonly Part[] = ["data", "api", "refresh", "observability"];

const own: Record<string, unknown> = JSON.parse(
  readFileSync(new URL("../../cdk.json", import.meta.url), "utf8"),
).context;

/** Synthesizes a deployment in this process, with cdk.json's flags and without bundling. */
export function synthesize(
  context: Record<string, unknown> = {},
  plugin?: (app: App) => IPolicyValidationPlugin,
): Readonly<Record<Part, Template>> {
  const outdir = mkdtempSync(join(tmpdir(), "linkspan-stacks-"));
  try {
    const app = new App({ outdir, context: { ...own, ...context, "aws:cdk:bundling-stacks": [] } });
    const stacks = linkspan(app);
    if (plugin !== undefined) Validations.of(app).addPlugins(plugin(app));
    const assembly = app.synth();
    const template = (part: Part): Template => assembly.getStackByName(stacks[part].stackName).template;
    return {
      data: template("data"),
      api: template("api"),
      refresh: template("refresh"),
      observability: template("observability"),
    };
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

export const ofType = (template: Template, type: string): [id: string, resource: Resource][] =>
  Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);

/** The only resource of a type whose logical id begins with `id`. */
export function find(template: Template, type: string, id = ""): Resource {
  const found = ofType(template, type).filter(([name]) => name.startsWith(id));
  if (found.length !== 1) throw new Error(`${found.length} resources of type ${type} begin with "${id}"`);
  return (found[0] as [string, Resource])[1];
}

/** An intrinsic function written as text, imports by the exported resource: `{Ref}`, `{Id.Arn}`, `{Rescue….Arn}/rescue/*`. */
export function text(value: Json): string {
  if (typeof value === "string") return value;
  if ("Ref" in value) return `{${value.Ref}}`;
  if ("Fn::GetAtt" in value) return `{${value["Fn::GetAtt"].join(".")}}`;
  if ("Fn::Join" in value) return value["Fn::Join"][1].map(text).join(value["Fn::Join"][0]);
  if ("Fn::Select" in value) return `{${value["Fn::Select"][0]} of ${text(value["Fn::Select"][1])}}`;
  if ("Fn::Split" in value) return `split ${text(value["Fn::Split"][1])}`;
  if ("Fn::ImportValue" in value) {
    const match = /ExportsOutput(Ref|FnGetAtt)(\w+?)(Arn|QueueName)?[0-9A-F]{8}$/.exec(
      value["Fn::ImportValue"],
    );
    if (match === null) throw new Error(`not one of CDK's exports: ${value["Fn::ImportValue"]}`);
    return `{${match[2]}${match[3] === undefined ? "" : `.${match[3]}`}}`;
  }
  throw new Error(`unknown intrinsic ${JSON.stringify(value)}`);
}
