import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { keysAt, valuesAt, type Schemas } from "./schema_walk";
import { yamlPlace } from "./yaml_path";

/** Suggests the keys and values that the schema knows at the cursor. */
export function schemaCompletion(
  schemas: () => Schemas | null,
): (context: CompletionContext) => CompletionResult | null {
  return (context) => {
    const known = schemas();
    if (!known) return null;
    const place = yamlPlace(context.state.doc.toString(), context.pos);
    if (!context.explicit && place.begun === "" && place.key === null) return null;
    const options: Completion[] =
      place.key !== null
        ? valuesAt([...place.path, place.key], known).map((label) => ({ label, type: "enum" }))
        : keysAt(place.path, known)
            .filter(({ label }) => !place.siblings.includes(label))
            .map(({ label, description, isNested }) => ({
              label,
              type: "property",
              apply: isNested ? `${label}:` : `${label}: `,
              ...(description ? { info: description } : {}),
            }));
    return options.length > 0 ? { from: context.pos - place.begun.length, options, validFor: /^[\w.-]*$/ } : null;
  };
}
