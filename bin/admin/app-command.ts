import { Command } from "commander";
import { catalogueEntries, findEntry } from "../../functions/connectors/catalogue.ts";
import type { RegisteredApp } from "../../functions/core/tenants/ports.ts";
import { isoTime, printMany, printOne } from "./print.ts";
import { readSecret } from "./secret-input.ts";
import { openTarget, requireOrganization, UsageProblem } from "./target.ts";

interface AppOptions {
  readonly organization: string;
  readonly connector: string;
}

const SECRET_VARIABLE = "LINKSPAN_CLIENT_SECRET";

export function appCommand(): Command {
  const app = new Command("app").description("OAuth apps that an organization has registered at vendors");

  app
    .command("register")
    .requiredOption("--organization <id>")
    .requiredOption("--connector <key>")
    .requiredOption("--client-id <id>", "as the vendor's console shows it")
    .requiredOption(
      "--callback-url <url...>",
      "exactly as registered at the vendor; the first is the default",
    )
    .description(`registers an app; its client secret comes from ${SECRET_VARIABLE} or standard input`)
    .action(async (options: AppOptions & { clientId: string; callbackUrl: string[] }, command: Command) => {
      const connector = await connectorKey(options.connector);
      options.callbackUrl.forEach(checkCallbackUrl);
      const { tenants } = await openTarget(command);
      const clientSecret = await readSecret("client secret", SECRET_VARIABLE);
      const made = await tenants.registerApp({
        organizationId: options.organization,
        connector,
        clientId: options.clientId,
        clientSecret,
        callbackUrls: options.callbackUrl,
      });
      printOne(command, row(made));
    });

  app
    .command("list")
    .requiredOption("--organization <id>")
    .action(async (options: { organization: string }, command: Command) => {
      const target = await openTarget(command);
      await requireOrganization(target, options.organization);
      printMany(command, (await target.tenants.listApps(options.organization)).map(row));
    });

  app
    .command("replace-secret")
    .argument("<app>")
    .requiredOption("--organization <id>")
    .requiredOption("--connector <key>")
    .description(
      `sets a new client secret, from ${SECRET_VARIABLE} or standard input; grants are refreshed with it from now on`,
    )
    .action(async (id: string, options: AppOptions, command: Command) => {
      const connector = await connectorKey(options.connector);
      const { tenants } = await openTarget(command);
      const clientSecret = await readSecret("client secret", SECRET_VARIABLE);
      await tenants.replaceClientSecret({
        organizationId: options.organization,
        connector,
        appId: id,
        clientSecret,
      });
      printOne(command, { id, replaced: true });
    });

  app
    .command("remove")
    .argument("<app>")
    .requiredOption("--organization <id>")
    .requiredOption("--connector <key>")
    .description("removes an app: instances that were made with it can no longer be refreshed")
    .action(async (id: string, options: AppOptions, command: Command) => {
      const connector = await connectorKey(options.connector);
      const { tenants } = await openTarget(command);
      await tenants.removeApp({ organizationId: options.organization, connector, appId: id });
      printOne(command, { id, removed: true });
    });
  return app;
}

export async function connectorKey(keyOrId: string): Promise<string> {
  const entry = await findEntry(keyOrId);
  if (entry !== undefined) return entry.key;
  const keys = (await catalogueEntries()).map(({ key }) => key);
  throw new UsageProblem(`there is no connector ${keyOrId}; there are ${keys.join(", ")}`);
}

/**
 * Checks a callback URL: RFC 6749 section 3.1.2 requires an absolute URL without a fragment. The text is not
 * changed, because vendors compare redirect URIs exactly.
 */
function checkCallbackUrl(text: string): void {
  const isWebUrl = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  if (!isWebUrl || text.includes("#")) {
    throw new UsageProblem(`${text} is not a callback URL: an absolute http(s) URL without a fragment`);
  }
}

function row({ id, connector, clientId, callbackUrls, createdAt }: RegisteredApp) {
  return { id, connector, clientId, callbackUrls, created: isoTime(createdAt) };
}
