import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { contrast, textColorOn } from "../../functions/core/tenants/branding.ts";
import type { Organization } from "../../functions/core/tenants/ports.ts";
import { deleteCommand } from "./delete-organization-command.ts";
import { addKeyCommands } from "./key-commands.ts";
import { isoTime, printMany, printOne, warnOnce } from "./print.ts";
import { readSecret } from "./secret-input.ts";
import { openTarget, UsageProblem, unknownOrganization } from "./target.ts";

export function organizationCommand(): Command {
  const organization = new Command("organization").description(
    "Organizations: the applications that Linkspan serves",
  );

  organization
    .command("create")
    .argument("<name>")
    .description("makes an organization with its data key, and prints its secret once")
    .action(async (name: string, _options, command: Command) => {
      const { tenants } = await openTarget(command);
      const { organization: made, secret } = await tenants.createOrganization({ name });
      printOne(command, { ...row(made), organizationSecret: secret });
      warnOnce();
    });

  organization.command("list").action(async (_options, command: Command) => {
    const { tenants } = await openTarget(command);
    printMany(command, (await tenants.listOrganizations()).map(row));
  });

  for (const [name, status, description] of [
    ["suspend", "suspended", "refuses every call of an organization; takes effect within 30 seconds"],
    ["resume", "active", "ends a suspension"],
  ] as const) {
    organization
      .command(name)
      .argument("<organization>")
      .description(description)
      .action(async (id: string, _options, command: Command) => {
        const { tenants } = await openTarget(command);
        await tenants.setStatus({ organizationId: id }, status);
        printOne(command, { id, status });
      });
  }

  organization
    .command("brand")
    .argument("<organization>")
    .option(
      "--color <#rrggbb>",
      "colour of the connect page; its button's text is black or white by contrast",
    )
    .option("--logo <file>", "picture on the connect page: PNG, JPEG, GIF, WebP or SVG, at most 50 kB")
    .option("--no-color", "removes the colour")
    .option("--no-logo", "removes the logo")
    .description("sets how the connect page looks to an organization's users")
    .action(brand);

  addKeyCommands(organization);
  organization.addCommand(deleteCommand());

  organization
    .command("add-secret")
    .argument("<organization>")
    .description("makes an additional secret: first step of a rotation")
    .action(async (id: string, _options, command: Command) => {
      const { tenants } = await openTarget(command);
      printOne(command, { id, organizationSecret: await tenants.addSecret({ organizationId: id }) });
      warnOnce();
    });

  organization
    .command("remove-secret")
    .description("ends an organization's or a user's secret (LINKSPAN_SECRET, or standard input)")
    .action(async (_options, command: Command) => {
      const { tenants } = await openTarget(command);
      const secret = await readSecret("secret to end", "LINKSPAN_SECRET");
      if (!(await tenants.removeSecret(secret))) throw new UsageProblem("nobody has this secret");
      printOne(command, { removed: true });
    });

  for (const [what, list, isAbout] of [
    ["return-url", "returnUrls", "URLs that the hosted flow may return to; a * may end the path"],
    ["origin", "origins", "browser origins that may call with an instance token"],
    [
      "vendor-host",
      "vendorHosts",
      "hosts that connections may name, for vendors whose customers run their own servers",
    ],
  ] as const) {
    organization
      .command(`allow-${what}`)
      .argument("<organization>")
      .argument("<values...>")
      .description(`allows ${isAbout}`)
      .action((id: string, values: string[], _options, command: Command) =>
        change(command, id, list, (before) => [...new Set([...before, ...values])]),
      );
    organization
      .command(`disallow-${what}`)
      .argument("<organization>")
      .argument("<values...>")
      .description(`no longer allows ${isAbout}`)
      .action((id: string, values: string[], _options, command: Command) =>
        change(command, id, list, (before) => {
          const missing = values.find((value) => !before.includes(value));
          if (missing !== undefined) throw new UsageProblem(`${missing} is not on the list`);
          return before.filter((value) => !values.includes(value));
        }),
      );
  }
  return organization;
}

/** @param options `false`: given as `--no-color` or `--no-logo` */
async function brand(
  id: string,
  { color, logo: file }: { readonly color?: string | false; readonly logo?: string | false },
  command: Command,
): Promise<void> {
  const changes = {
    ...(color === undefined ? {} : { color: color || null }),
    ...(file === undefined ? {} : { logo: file === false ? null : await readLogo(file) }),
  };
  if (Object.keys(changes).length === 0)
    throw new UsageProblem("say what to change: --color, --logo, --no-color or --no-logo");
  const { tenants } = await openTarget(command);
  const { color: now, logo } = await tenants.setBranding(id, changes);
  const text = now === undefined ? undefined : textColorOn(now);
  printOne(command, {
    id,
    color: now ?? "none",
    ...(now === undefined || text === undefined
      ? {}
      : { buttonText: text, contrast: contrast(now, text).toFixed(1) }),
    logo: logo === undefined ? "none" : `${logo.mediaType}, ${logo.bytes.length} bytes`,
  });
}

async function readLogo(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageProblem(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}

async function change(
  command: Command,
  id: string,
  list: "returnUrls" | "origins" | "vendorHosts",
  to: (before: readonly string[]) => string[],
): Promise<void> {
  const { tenants, records } = await openTarget(command);
  const before = await records.organization(id);
  if (before === undefined) throw unknownOrganization(id);
  printOne(command, row(await tenants.setAllowLists(id, { [list]: to(before[list] ?? []) })));
}

function row({ id, name, status, deletingSince, createdAt, ...lists }: Organization) {
  const { returnUrls, origins, vendorHosts = [] } = lists;
  const shown = deletingSince === undefined ? status : "deleting";
  return { id, name, status: shown, returnUrls, origins, vendorHosts, created: isoTime(createdAt) };
}
