import type { StackProps } from "aws-cdk-lib";
import type { Settings } from "./settings.ts";

/**
 * Properties of every stack of a deployment: its name, and tags that CloudFormation puts on each resource
 * (for the bill).
 */
export function stackProps(name: string, what: string, settings: Settings): StackProps {
  return {
    stackName: name,
    description: `Linkspan ${settings.stage}: ${what}`,
    tags: { application: "linkspan", stage: settings.stage },
  };
}
