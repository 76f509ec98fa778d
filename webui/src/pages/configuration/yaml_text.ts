import { stringify } from "yaml";

/** A value as YAML. Strings that YAML would read as something else are quoted. */
export const yamlText = (value: unknown): string => stringify(value, { lineWidth: 110 });
