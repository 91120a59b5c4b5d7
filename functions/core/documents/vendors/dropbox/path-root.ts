import { InvalidRequest, LinkspanError } from "../../../errors.ts";
import type { PathVendor } from "../../vendor.ts";
import type { CallRequest, VendorCall } from "../../vendor-call.ts";
import { refusalBody } from "../../vendor-failure.ts";

/*
 * The root of an account's paths. Without a header, paths begin at the user's own folder, and what a team shares beside it is
 * invisible; with `root`, they begin at the team space, in which the user's own folder is one of the folders.
 * https://www.dropbox.com/developers/reference/path-root-header-modes, root_info: users/get_current_account (2026-11-27)
 */

const PATH_ROOT = "path.root";
const HEADER = "Dropbox-API-Path-Root";

/** The headers with which a call acts: for whom, and from which root. */
export type ActingHeaders = NonNullable<CallRequest["headers"]>;

/** The root header of an instance; none for an account whose two roots are the same. @throws {InvalidRequest} */
export async function pathRootHeader({ instance }: VendorCall): Promise<ActingHeaders> {
  const wanted = instance.configuration[PATH_ROOT]?.trim() || "root";
  if (wanted === "home") return [];
  if (wanted !== "root") {
    // `NamespaceId` in https://github.com/dropbox/dropbox-api-spec/blob/main/common.stone
    if (!/^[-\w:]{1,100}$/.test(wanted)) {
      throw new InvalidRequest(
        `configuration.${PATH_ROOT} must be root, home or the id of a namespace`,
        `configuration.${PATH_ROOT}`,
      );
    }
    return [[HEADER, JSON.stringify({ ".tag": "namespace_id", namespace_id: wanted })]];
  }
  const { rootNamespace: root, homeNamespace: home } = await instance.told();
  if (root === undefined || root === home) return [];
  // "This mode will test whether the namespace ID passed in as the root is the correct root namespace for the user": a path never
  // leads to another item because the user has changed the team.
  return [[HEADER, JSON.stringify({ ".tag": "root", root })]];
}

/**
 * A vendor whose calls all carry the headers that `headersOf` gives for an instance. `refusal` and `openId` make no calls.
 */
export function acting(
  vendor: PathVendor,
  headersOf: (call: VendorCall) => Promise<ActingHeaders>,
): PathVendor {
  const calls = new WeakMap<VendorCall, VendorCall>();
  const actingCall = (call: VendorCall): VendorCall => {
    const known = calls.get(call) ?? withHeaders(call, headersOf);
    calls.set(call, known);
    return known;
  };
  const methods = Object.entries(vendor).map(([name, value]) => {
    if (typeof value !== "function" || name === "refusal" || name === "openId") return [name, value];
    return [name, (call: VendorCall, ...rest: unknown[]) => value(actingCall(call), ...rest)];
  });
  return Object.fromEntries(methods) as PathVendor;
}

function withHeaders(call: VendorCall, headersOf: (call: VendorCall) => Promise<ActingHeaders>): VendorCall {
  let headers: Promise<ActingHeaders> | undefined;
  const sent = async <R extends CallRequest, T>(request: R, send: (request: R) => Promise<T>): Promise<T> => {
    headers ??= headersOf(call);
    const own = await headers;
    const withOwn = (added: ActingHeaders) => ({
      ...request,
      headers: [...(request.headers ?? []), ...added],
    });
    try {
      return await send(withOwn(own));
    } catch (error) {
      const others = own.filter(([name]) => name !== HEADER);
      if (others.length === own.length || !isAppFolder(error)) throw error;
      headers = Promise.resolve(others);
      return await send(withOwn(others));
    }
  };
  return {
    instance: call.instance,
    json: (request) => sent(request, (each) => call.json(each)),
    open: (request) => sent(request, (each) => call.open(each)),
    expectOk: (request) => sent(request, (each) => call.expectOk(each)),
  };
}

/**
 * An app that sees its own folder only has no other root: "Path root is not supported for sandbox app"
 * (https://github.com/rclone/rclone/issues/2949). Dropbox does not tell before that an app is of this kind.
 */
function isAppFolder(error: unknown): boolean {
  if (!(error instanceof LinkspanError) || error.status !== 400) return false;
  const body = refusalBody(error);
  return typeof body === "string" && body.includes("Path root is not supported for sandbox app");
}
