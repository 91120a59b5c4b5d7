import { downloadFile } from "../core/documents/hub.ts";
import type { DocumentsItem } from "../core/documents/item.ts";
import { NotFound } from "../core/errors.ts";
import { earliestNow, latestNow } from "../core/grant/timing.ts";
import type { Instance } from "../core/instances/instance.ts";
import { readShortId } from "../core/instances/instance-token.ts";
import { isoSeconds } from "../core/iso-seconds.ts";
import { isOfSuspendedUser } from "../core/tenants/suspended-users.ts";
import { admitTenant } from "../http/admit-tenant.ts";
import type { HttpHandler, HttpRequest } from "../http/request.ts";
import { answerDownload, rangeOf } from "./answer-download.ts";
import { type DocumentsDeps, type OpenHub, openHubOf } from "./open-hub.ts";

/** The same lifetime as Dropbox's temporary links. */
const LIFETIME_MS = 4 * 3_600_000;

const place = (instance: Pick<Instance, "id" | "organizationId">) => ({
  organizationId: instance.organizationId,
  item: `instance/${instance.id}`,
  field: "link",
});

/**
 * Makes a link to a file's bytes that needs no Authorization: `/links/<instance>.<sealed>`. The link ends
 * after four hours, or earlier: when the instance token of this request ends, when the instance is disabled
 * or deleted, or when its user or organization is suspended.
 */
export async function signedLink(
  request: HttpRequest,
  { instance, reading, call, tokenHash = "" }: Pick<OpenHub, "instance" | "reading" | "call" | "tokenHash">,
  item: DocumentsItem,
  { grants }: DocumentsDeps,
): Promise<{ url: string; expires: string }> {
  const at = grants.monotonic();
  const expiresAt = earliestNow(reading, at, at) + LIFETIME_MS;
  const sealed = await grants.vault.seal(
    place(instance),
    JSON.stringify([item.refId ?? item.id, tokenHash, expiresAt, call.instance.member ?? null]),
  );
  const ticket = `${instance.id.toString(36)}.${Buffer.from(sealed).toString("base64url")}`;
  return {
    url: `${request.baseUrl}/hubs/documents/links/${ticket}`,
    expires: isoSeconds(expiresAt),
  };
}

/** Streams the file of a link. Any invalid link is answered with 404. */
export const followLink =
  (deps: () => DocumentsDeps): HttpHandler =>
  async (request) => {
    const [, id = "", sealed] = /^([0-9a-z]+)\.([\w-]{20,2000})$/.exec(request.params.ticket ?? "") ?? [];
    const instanceId = readShortId(id);
    if (instanceId === undefined || sealed === undefined) throw linkEnded();
    const { tenants, grants } = deps();
    const { value: instance, reading } = await grants.instances.get(instanceId);
    if (instance === undefined || instance.deleting === true || !instance.enabled) throw linkEnded();
    const organization = await tenants.organization(instance.organizationId);
    if (organization?.status !== "active" || (await isOfSuspendedUser(tenants, organization, instance)))
      throw linkEnded();
    const bytes = Buffer.from(sealed, "base64url");
    if (bytes.toString("base64url") !== sealed) throw linkEnded();
    const text = await grants.vault.open(place(instance), bytes).catch(() => {
      throw linkEnded();
    });
    const [file, hash, expiresAt, member] = JSON.parse(text) as [string, string, number, (string | null)?];
    const now = latestNow(reading, grants.monotonic());
    const tokenLives = instance.tokenHashes.some(
      (each) => each.hash === hash && (each.until === undefined || each.until > now),
    );
    if (!tokenLives || expiresAt < now) throw linkEnded();
    Object.assign(request.logContext, {
      connector: instance.connector,
      instanceId: instance.id,
      organizationId: organization.id,
    });
    admitTenant(request, organization.id);
    // The link acts for the member for whom it was made, whatever the request says.
    const headers = { ...request.headers, "elements-as-team-member": member ?? "" };
    const hub = await openHubOf({ instance, reading }, { ...request, headers }, deps());
    const download = await downloadFile(hub, { id: file }, rangeOf(request.headers.range));
    // The user's file is served from Linkspan's origin, so no script in it may run.
    return answerDownload(download, {
      "Content-Security-Policy": "sandbox",
      "Referrer-Policy": "no-referrer",
    });
  };

function linkEnded(): NotFound {
  return new NotFound("this link has expired, or is invalid", "link_ended");
}
