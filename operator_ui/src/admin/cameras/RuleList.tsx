import { wordFor } from "../../words";
import { KINDS, newRule, RULES, SEVERITIES, type Kind, type RuleDraft, type Severity } from "./draft";
import type { Fault } from "./faults";
import { FaultNote } from "./Field";
import { say } from "./form-words";

interface RulesOf {
  rules: RuleDraft[];
  field: string;
  faults: Fault[];
  onChange: (rules: RuleDraft[]) => void;
}

/** The rules that hold in a zone: what, how severe, after how many seconds. */
export function RuleList({ rules, field, faults, onChange }: RulesOf) {
  return (
    <div class="rules">
      {rules.map((rule, index) => {
        const set = (change: Partial<RuleDraft>): void =>
          onChange(rules.map((one, at) => (at === index ? { ...one, ...change } : one)));
        return (
          <div key={index} class="rule" data-rule={rule.kind}>
            <RuleFields rule={rule} onChange={set} />
            <button type="button" class="quiet" aria-label={say("rule_remove")} onClick={() => onChange(rules.filter((_, at) => at !== index))}>
              ×
            </button>
            <FaultNote field={`${field}.${index}`} faults={faults} />
          </div>
        );
      })}
      <button type="button" onClick={() => onChange([...rules, newRule("loitering")])}>
        {say("rule_add")}
      </button>
    </div>
  );
}

function RuleFields({ rule, onChange }: { rule: RuleDraft; onChange: (change: Partial<RuleDraft>) => void }) {
  return (
    <>
      <label>
        {say("rule_kind")}
        <select name="kind" value={rule.kind} onChange={(event) => onChange(newRule(event.currentTarget.value as Kind))}>
          {KINDS.map((kind) => (
            <option key={kind} value={kind}>
              {wordFor("kind", kind)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {say("rule_severity")}
        <select name="severity" value={rule.severity} onChange={(event) => onChange({ severity: event.currentTarget.value as Severity })}>
          {SEVERITIES.map((severity) => (
            <option key={severity} value={severity}>
              {wordFor("severity", severity)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {say(`threshold_${RULES[rule.kind].threshold}`)}
        <input name="seconds" inputMode="decimal" value={rule.seconds} onInput={(event) => onChange({ seconds: event.currentTarget.value })} />
      </label>
    </>
  );
}
