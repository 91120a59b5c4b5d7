import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { AssetHashType } from "aws-cdk-lib";
import { Code, Runtime } from "aws-cdk-lib/aws-lambda";
import type { Settings } from "../settings.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * A function's code: `functions/<folder>/handler.ts` and its imports, bundled by bin/bundle.ts on this
 * machine, which may have any processor. (CDK's NodejsFunction cannot split a bundle, and an unsplit bundle
 * contains the whole client of each service that is imported only on rare paths.)
 * @param settings the settings that determine the content of a bundle
 * @throws {Error} the code cannot be bundled; esbuild has printed the reason
 */
export function bundledCode(
  folder: string,
  { catalogue, tenantRequestsPerMinute }: Pick<Settings, "catalogue" | "tenantRequestsPerMinute">,
): Code {
  const source = `${root}functions/${folder}`;
  // CDK bundles once for each source path, so this is the function's own folder, even if the bundle includes
  // files of others.
  return Code.fromAsset(source, {
    // Names the asset by the hash of the bundle, so that only changed functions are uploaded.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Docker is never used: local bundling either works or throws.
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
