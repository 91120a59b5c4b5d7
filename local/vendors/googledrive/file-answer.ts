import type { Answer } from "../http/answer.ts";
import { type Caller, maskedAnswer } from "./call.ts";
import type { DriveNode } from "./drive-account.ts";
import { DEFAULT_FILE_FIELDS, FILE_FIELDS, fileResource } from "./file-resource.ts";

/** A file's metadata, with only the fields that the request asks for. */
export function fileAnswer(caller: Caller, node: DriveNode): Answer {
  const resource = fileResource(caller.account, node, caller.publicOrigin);
  return maskedAnswer(caller.request, resource, DEFAULT_FILE_FIELDS, FILE_FIELDS);
}
