// Asking for the password once more. The dialog is the frame's (lib/ui.tsx); here is only the question that waits.
import { signal } from '@preact/signals';

export interface Question { send: (password: string) => Promise<unknown>; done: (proved: boolean) => void }
export const question = signal<Question | null>(null);

export const askPassword = (send: Question['send']) =>
  new Promise<boolean>(resolve => {
    question.value = { send, done: proved => ((question.value = null), resolve(proved)) };
  });
