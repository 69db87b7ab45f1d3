interface SwitchOf {
  name: string;
  label: string;
  hint?: string;
  on: boolean;
  onChange: (on: boolean) => void;
}

export function Switch({ name, label, hint, on, onChange }: SwitchOf) {
  return (
    <label class="switch">
      <input type="checkbox" name={name} checked={on} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>
        {label}
        {hint && <small>{hint}</small>}
      </span>
    </label>
  );
}
