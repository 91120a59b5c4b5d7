import { readFile } from "node:fs/promises";
import path from "node:path";

/**
 * A template that AWS would refuse or that the platform does not know; the message names the resource and
 * the problem.
 */
export class UnsupportedTemplate extends Error {}

export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Condition?: string;
  readonly DependsOn?: string | readonly string[];
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

/** One synthesized stack, with unresolved intrinsic functions. */
export interface StackTemplate {
  readonly name: string;
  /** Size of the template's file, in bytes. */
  readonly bytes: number;
  readonly resources: Readonly<Record<string, Resource>>;
  readonly outputs: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown } }>
  >;
  readonly parameters: Readonly<Record<string, { readonly Type: string; readonly Default?: unknown }>>;
  readonly conditions: Readonly<Record<string, unknown>>;
  readonly mappings: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
}

export interface Assembly {
  readonly folder: string;
  readonly stacks: readonly StackTemplate[];
  /** The folder of each file asset, by its S3 object key. */
  readonly assets: ReadonlyMap<string, string>;
}

interface Manifest {
  readonly artifacts?: Readonly<
    Record<
      string,
      {
        readonly type: string;
        readonly properties?: {
          readonly templateFile?: string;
          readonly stackName?: string;
          readonly file?: string;
        };
      }
    >
  >;
}

interface AssetManifest {
  readonly files?: Readonly<
    Record<
      string,
      {
        readonly source: { readonly path?: string; readonly packaging?: string };
        readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
      }
    >
  >;
}

/**
 * Reads the output of `cdk synth`: manifest, templates and asset manifests.
 * @throws {UnsupportedTemplate} the folder has no cloud assembly
 */
export async function readAssembly(folder: string): Promise<Assembly> {
  const absolute = path.resolve(folder);
  const read = async (file: string): Promise<string> => readFile(path.join(absolute, file), "utf8");
  const manifest = await read("manifest.json").then(
    (text) => JSON.parse(text) as Manifest,
    () => {
      throw new UnsupportedTemplate(
        `there is no cloud assembly in ${absolute}; make one with: npm run synth`,
      );
    },
  );
  const stacks: StackTemplate[] = [];
  const assets = new Map<string, string>();
  for (const [id, { type, properties }] of Object.entries(manifest.artifacts ?? {})) {
    if (type === "aws:cloudformation:stack" && properties?.templateFile !== undefined) {
      const text = await read(properties.templateFile);
      stacks.push(stackTemplate(properties.stackName ?? id, text));
    }
    if (type === "cdk:asset-manifest" && properties?.file !== undefined) {
      const { files = {} } = JSON.parse(await read(properties.file)) as AssetManifest;
      for (const { source, destinations } of Object.values(files)) {
        if (source.path === undefined || source.packaging !== "zip") continue;
        for (const { objectKey } of Object.values(destinations))
          assets.set(objectKey, path.join(absolute, source.path));
      }
    }
  }
  if (stacks.length === 0) throw new UnsupportedTemplate(`the cloud assembly in ${absolute} has no stack`);
  return { folder: absolute, stacks, assets };
}

function stackTemplate(name: string, text: string): StackTemplate {
  const template = JSON.parse(text) as Record<string, unknown>;
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
  const known = [
    "AWSTemplateFormatVersion",
    "Description",
    "Metadata",
    "Resources",
    "Outputs",
    "Parameters",
    "Conditions",
    "Mappings",
    // CDK's check of the bootstrap version; the local platform needs no bootstrap.
    "Rules",
  ];
  const unknown = Object.keys(template).filter((section) => !known.includes(section));
  if (unknown.length > 0) throw new UnsupportedTemplate(`${name}: unknown section ${unknown.join(", ")}`);
  const section = <T>(of: string): T => (template[of] ?? {}) as T;
  return {
    name,
    bytes: Buffer.byteLength(text),
    resources: section("Resources"),
    outputs: section("Outputs"),
    parameters: section("Parameters"),
    conditions: section("Conditions"),
    mappings: section("Mappings"),
  };
}
