// Package openai asks models by the API of chat completions, as OpenAI, vLLM, Ollama, OpenRouter and others serve it, through OpenAI's
// own SDK.
package openai

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"

	"github.com/sallyport-dev/sallyport/host/judge"
	"github.com/sallyport-dev/sallyport/host/judge/frame"
)

// DefaultBaseURL is OpenAI's.
const DefaultBaseURL = "https://api.openai.com/v1"

// Options say what is asked.
type Options struct {
	BaseURL   string // empty: DefaultBaseURL
	Key       string // empty: none is sent
	Model     string
	MaxTokens int
	Frame     *frame.Frame
}

// Model is one model. It is safe for concurrent use.
type Model struct {
	o      Options
	client *http.Client
	api    sdk.ChatCompletionService
}

// New makes a model. Nothing of the environment is used: the SDK's variables are for programs that its user runs himself.
func New(o Options) *Model {
	if o.BaseURL == "" {
		o.BaseURL = DefaultBaseURL
	}
	m := &Model{o: o, client: frame.Client()}
	settings := []option.RequestOption{option.WithBaseURL(o.BaseURL + "/"), option.WithHTTPClient(m.client), option.WithMaxRetries(0)}
	if o.Key != "" {
		settings = append(settings, option.WithAPIKey(o.Key))
	}
	m.api = sdk.NewChatCompletionService(settings...)
	return m
}

// Close ends idle connections.
func (m *Model) Close() { m.client.CloseIdleConnections() }

// Ask asks the model.
func (m *Model) Ask(ctx context.Context, s *judge.Subject) (judge.Answer, error) {
	p, err := m.o.Frame.Prompt(s)
	if err != nil {
		return judge.Answer{}, err
	}
	params := sdk.ChatCompletionNewParams{
		Model:    m.o.Model,
		Messages: []sdk.ChatCompletionMessageParamUnion{sdk.SystemMessage(p.System), sdk.UserMessage(p.User)},
		ResponseFormat: sdk.ChatCompletionNewParamsResponseFormatUnion{OfJSONSchema: &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{Name: "verdict", Strict: sdk.Bool(true), Schema: frame.Schema()},
		}},
	}
	// OpenAI's newer models take one name of this limit only, other servers the other only.
	if m.o.BaseURL == DefaultBaseURL {
		params.MaxCompletionTokens = sdk.Int(int64(m.o.MaxTokens))
	} else {
		params.MaxTokens = sdk.Int(int64(m.o.MaxTokens))
	}
	c, err := m.api.New(ctx, params)
	if err != nil {
		return judge.Answer{}, failure(err)
	}
	a := judge.Answer{Input: c.Usage.PromptTokens, Output: c.Usage.CompletionTokens}
	if len(c.Choices) != 1 {
		return a, fmt.Errorf("the server sent %d answers in place of one", len(c.Choices))
	}
	switch choice := &c.Choices[0]; {
	case choice.Message.Refusal != "":
		return a, errors.New("the model refused to answer")
	case choice.FinishReason != "stop":
		return a, fmt.Errorf("the answer is not whole: it ended by %q", choice.FinishReason)
	case len(choice.Message.ToolCalls) > 0:
		return a, errors.New("the model asked for a tool, and it has none")
	default:
		a.Outcome, a.Reason, err = judge.ParseAnswer([]byte(choice.Message.Content))
		return a, err
	}
}

// failure is an error without the request in it.
func failure(err error) error {
	var api *sdk.Error
	if errors.As(err, &api) {
		return fmt.Errorf("the server answered with status %d: %s", api.StatusCode, judge.Line(api.Message))
	}
	return err
}
