import { createHash, randomUUID } from "node:crypto";
import {
  type AwsAnswer,
  AwsError,
  type AwsOperation,
  type AwsRequest,
  type AwsService,
  escapeXml,
} from "./service.ts";
import { type AwsStack, localAccountId, localRegion } from "./types.ts";

const namespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

/**
 * CloudFormation's DescribeStacks: the operator's command line finds tables and keys by it, here as on AWS.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
 */
export function localCloudFormation(stacks: readonly AwsStack[]): AwsService {
  return {
    name: "cloudformation",
    bodyLimit: 64 * 1024,
    errors: {
      accessDenied: [403, "AccessDenied"],
      unknownAccessKey: [403, "InvalidClientTokenId"],
      badSignature: [403, "SignatureDoesNotMatch"],
      throttled: [400, "Throttling"],
      internal: [500, "InternalFailure"],
    },
    read(request: AwsRequest): AwsOperation {
      const parameters = new URLSearchParams(request.body.toString("utf8"));
      const action = parameters.get("Action");
      if (request.method !== "POST" || action !== "DescribeStacks") {
        throw new AwsError(
          400,
          "InvalidAction",
          `the local CloudFormation has no ${action ?? "request without Action"}`,
        );
      }
      const name = parameters.get("StackName") ?? undefined;
      const wanted = stacks.filter(
        (stack) => name === undefined || stack.name === name || stackId(stack.name) === name,
      );
      // A stack that does not exist has no id; the check of permissions gets the id that its name would
      // give.
      const resource = name === undefined ? "*" : wanted[0] ? stackId(wanted[0].name) : stackId(name);
      return {
        needs: [{ action: "cloudformation:DescribeStacks", resource }],
        async act() {
          if (name !== undefined && wanted.length === 0) {
            throw new AwsError(400, "ValidationError", `Stack with id ${name} does not exist`);
          }
          return xmlAnswer(200, describeStacks(wanted));
        },
      };
    },
    errorAnswer: (error) =>
      xmlAnswer(
        error.status,
        `<ErrorResponse xmlns="${namespace}"><Error><Type>${error.status < 500 ? "Sender" : "Receiver"}</Type>` +
          `<Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message></Error>` +
          `<RequestId>${randomUUID()}</RequestId></ErrorResponse>`,
      ),
    close: async () => {},
  };
}

function describeStacks(stacks: readonly AwsStack[]): string {
  const members = stacks.map((stack) => {
    const outputs = Object.entries(stack.outputs).map(
      ([key, value]) =>
        `<member><OutputKey>${escapeXml(key)}</OutputKey><OutputValue>${escapeXml(value)}</OutputValue></member>`,
    );
    return (
      `<member><StackName>${escapeXml(stack.name)}</StackName><StackId>${escapeXml(stackId(stack.name))}</StackId>` +
      // The SDK needs a time; the time of a local stack's creation is not stored.
      `<CreationTime>1970-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>` +
      `<Outputs>${outputs.join("")}</Outputs></member>`
    );
  });
  return (
    `<DescribeStacksResponse xmlns="${namespace}"><DescribeStacksResult><Stacks>${members.join("")}</Stacks>` +
    `</DescribeStacksResult><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></DescribeStacksResponse>`
  );
}

/** The same id at each start, because on AWS a stack's id does not change. */
function stackId(name: string): string {
  const digest = createHash("sha256").update(name).digest("hex");
  const uuid = digest.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
  return `arn:aws:cloudformation:${localRegion}:${localAccountId}:stack/${name}/${uuid}`;
}

function xmlAnswer(status: number, body: string): AwsAnswer {
  return { status, headers: { "content-type": "text/xml", "x-amzn-requestid": randomUUID() }, body };
}
