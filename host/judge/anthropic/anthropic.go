// Package anthropic asks models by Anthropic's Messages API, through its own SDK.
package anthropic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	sdk "github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"

	"github.com/sallyport-dev/sallyport/host/judge"
	"github.com/sallyport-dev/sallyport/host/judge/frame"
)

// DefaultBaseURL is Anthropic's.
const DefaultBaseURL = "https://api.anthropic.com"

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
	api    sdk.MessageService
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
	m.api = sdk.NewMessageService(settings...)
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
	r, err := m.api.New(ctx, sdk.MessageNewParams{
		Model:        sdk.Model(m.o.Model),
		MaxTokens:    int64(m.o.MaxTokens),
		System:       []sdk.TextBlockParam{{Text: p.System}},
		Messages:     []sdk.MessageParam{sdk.NewUserMessage(sdk.NewTextBlock(p.User))},
		OutputConfig: sdk.OutputConfigParam{Format: sdk.JSONOutputFormatParam{Schema: frame.Schema()}},
	})
	if err != nil {
		return judge.Answer{}, failure(err)
	}
	a := judge.Answer{Input: r.Usage.InputTokens + r.Usage.CacheReadInputTokens + r.Usage.CacheCreationInputTokens, Output: r.Usage.OutputTokens}
	switch {
	case r.StopReason == sdk.StopReasonRefusal:
		return a, errors.New("the model refused to answer")
	case r.StopReason != sdk.StopReasonEndTurn:
		return a, fmt.Errorf("the answer is not whole: it ended by %q", r.StopReason)
	case len(r.Content) != 1 || r.Content[0].Type != "text":
		return a, errors.New("the answer is not one text")
	}
	a.Outcome, a.Reason, err = judge.ParseAnswer([]byte(r.Content[0].Text))
	return a, err
}

// failure is an error without the request in it.
func failure(err error) error {
	var api *sdk.Error
	if !errors.As(err, &api) {
		return err
	}
	var body struct {
		Error struct{ Message string }
	}
	if json.Unmarshal([]byte(api.RawJSON()), &body) != nil || body.Error.Message == "" {
		return fmt.Errorf("the server answered with status %d", api.StatusCode)
	}
	return fmt.Errorf("the server answered with status %d: %s", api.StatusCode, judge.Line(body.Error.Message))
}
