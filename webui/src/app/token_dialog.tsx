import { useState, type FormEvent, type ReactNode } from "react";
import { tokenQuestion, type TokenQuestion } from "../api/session";
import { useStore } from "../api/store";
import { Dialog } from "../parts/dialog";

/** Asks for the token that the daemon wants. There is no way around it, so that the dialog cannot be closed. */
export function TokenDialog(): ReactNode {
  const question = useStore(tokenQuestion);
  return question && <TokenForm key={question.reason} question={question} />;
}

function TokenForm({ question }: { question: TokenQuestion }): ReactNode {
  const [token, setToken] = useState("");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (token.trim()) question.answer(token);
  };
  return (
    <Dialog title="This daemon needs a token" mustAnswer>
      <form onSubmit={submit}>
        <p className="soft">
          {question.reason || (
            <>
              <code>lathed token add</code> makes one; the operator’s lies in the daemon’s data folder.
            </>
          )}
        </p>
        <label className="field">
          Token
          <input
            type="password"
            autoComplete="off"
            autoFocus
            required
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        <div className="actions">
          <button type="submit" className="primary">
            Continue
          </button>
        </div>
      </form>
    </Dialog>
  );
}
