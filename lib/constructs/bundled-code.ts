import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { AssetHashType } from "aws-cdk-lib";
import { Code, Runtime } from "aws-cdk-lib/aws-lambda";
import type { Settings } from "../settings.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * A function's code: `functions/<folder>/handler.ts` and all it needs, bundled by bin/bundle.ts on this machine, whatever its
 * processor. (CDK's NodejsFunction cannot split a bundle, and an unsplit one holds the whole client of each service that is
 * imported on rare paths.)
 * @param settings what decides what is in a bundle
 * @throws {Error} it cannot be bundled; esbuild has said why
 */
export function bundledCode(
  folder: string,
  { catalogue, tenantRequestsPerMinute }: Pick<Settings, "catalogue" | "tenantRequestsPerMinute">,
): Code {
  const source = `${root}functions/${folder}`;
  // CDK bundles once for each source path: the function's own folder, then, though the bundle takes in more.
  return Code.fromAsset(source, {
    // Names the asset by what comes out, so that only functions that changed are uploaded.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Docker is never asked: bundling here either works or throws.
      image: Runtime.NODEJS_24_X.bundlingImage,
      local: {
        tryBundle(outputDir) {
          const { status } = spawnSync(
            process.execPath,
            [
              `${root}bin/bundle.ts`,
              `${source}/handler.ts`,
              outputDir,
              ...(catalogue === undefined ? [] : ["--catalogue", catalogue]),
              ...(tenantRequestsPerMinute === undefined ? [] : ["--tenant-use"]),
            ],
            { cwd: root, stdio: ["ignore", "inherit", "inherit"], timeout: 120_000 },
          );
          if (status !== 0) throw new Error(`functions/${folder} cannot be bundled`);
          return true;
        },
      },
    },
  });
}
