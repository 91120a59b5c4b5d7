import { AwsError, type Exchange } from "./service.ts";
import { type Body, text } from "./sqs-parameters.ts";
import { localAccountId, localRegion } from "./types.ts";

/** An operation of SQS. */
export interface SqsOperation {
  /** IAM actions on the queue; the caller needs all of them. The first one is the operation's own. */
  readonly actions: readonly [string, ...string[]];
  readonly parameters: readonly string[];
  /** Name of the queue that a request is about. */
  queue(body: Body): string;
  act(body: Body, queueName: string, exchange: Exchange): Promise<Body>;
}

/** @throws {AwsError} the request has no QueueUrl, or its QueueUrl is not the URL of a queue */
export function queueByUrl(body: Body): string {
  const url = text(body, "QueueUrl");
  const [, account, name] = /\/(\d{12})\/([\w.-]{1,80})$/.exec(url) ?? [];
  if (account !== localAccountId || name === undefined) {
    throw new AwsError(404, "InvalidAddress", `${url} is not the URL of a queue`);
  }
  return name;
}

const arnPrefix = `arn:aws:sqs:${localRegion}:${localAccountId}:`;

export function queueArn(name: string): string {
  return `${arnPrefix}${name}`;
}

/** @throws {AwsError} the parameter is not the ARN of a queue of this account and region */
export function queueByArn(body: Body, parameter: string): string {
  const arn = text(body, parameter);
  if (!arn.startsWith(arnPrefix))
    throw new AwsError(400, "InvalidAddress", `${arn} is not the ARN of a queue`);
  return arn.slice(arnPrefix.length);
}
