"""Cases from a model: any endpoint of OpenAI's chat completions. Its answer is data that must pass the gates."""
