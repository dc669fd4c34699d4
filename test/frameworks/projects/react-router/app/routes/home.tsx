import { Form } from 'react-router'

export const action = () => ({ sent: true })

export default function Home() {
  return (
    <main>
      <h1>hello</h1>
      <Form method="post">
        <button>Send</button>
      </Form>
    </main>
  )
}
