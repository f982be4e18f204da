// Package standin serves the two APIs by which models are asked, over real HTTP on loopback, with answers that a test scripts.
package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// Asked is one question.
type Asked struct {
	API, Key, Model, System, User string
	MaxTokens                     int
	Schema                        map[string]any
}

// Reply is what the server says to one.
type Reply struct {
	Text   string // of the model
	Status int    // 0: 200
	Cut    bool   // the answer ended because it was too long
	Raw    string // in place of the whole body
	Wait   <-chan struct{}
}

// Verdict is a reply of the form.
func Verdict(decision, reason string) Reply {
	b, err := json.Marshal(map[string]string{"reason": reason, "decision": decision})
	if err != nil {
		panic(err)
	}
	return Reply{Text: string(b)}
}

// Tokens of each reply.
const (
	InputTokens  = 700
	OutputTokens = 30
)

// Server is a stand-in.
type Server struct {
	*httptest.Server
	Calls  atomic.Int64
	answer func(Asked) Reply
}

// New serves both APIs until the test ends.
func New(t testing.TB, answer func(Asked) Reply) *Server {
	s := &Server{answer: answer}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", s.openai)
	mux.HandleFunc("POST /v1/messages", s.anthropic)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// BaseURL is what the provider is configured with.
func (s *Server) BaseURL(provider string) string {
	if provider == "openai" {
		return s.URL + "/v1"
	}
	return s.URL
}

func (s *Server) openai(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Model     string
		MaxTokens int `json:"max_tokens"`
		Stream    bool
		Messages  []struct{ Role, Content string }
		Format    struct {
			Type   string
			Schema struct {
				Strict bool
				Schema map[string]any
			} `json:"json_schema"`
		} `json:"response_format"`
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Stream || len(q.Messages) != 2 || q.Messages[0].Role != "system" || q.Messages[1].Role != "user" ||
		q.Format.Type != "json_schema" || !q.Format.Schema.Strict {
		http.Error(w, fmt.Sprintf(`{"error":{"message":"bad request: %v"}}`, err), http.StatusBadRequest)
		return
	}
	a := Asked{"openai", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), q.Model, q.Messages[0].Content, q.Messages[1].Content, q.MaxTokens, q.Format.Schema.Schema}
	s.reply(w, r, a, func(reply Reply) any {
		stop := "stop"
		if reply.Cut {
			stop = "length"
		}
		return map[string]any{"id": "c", "object": "chat.completion", "created": 1, "model": q.Model, "choices": []any{map[string]any{"index": 0, "finish_reason": stop,
			"message": map[string]any{"role": "assistant", "content": reply.Text}}}, "usage": map[string]any{"prompt_tokens": InputTokens, "completion_tokens": OutputTokens, "total_tokens": InputTokens + OutputTokens}}
	})
}

func (s *Server) anthropic(w http.ResponseWriter, r *http.Request) {
	type text struct{ Type, Text string }
	var q struct {
		Model     string
		MaxTokens int `json:"max_tokens"`
		Stream    bool
		System    []text
		Messages  []struct {
			Role    string
			Content []text
		}
		Output struct {
			Format struct {
				Type   string
				Schema map[string]any
			}
		} `json:"output_config"`
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Stream || len(q.System) != 1 || len(q.Messages) != 1 || q.Messages[0].Role != "user" || len(q.Messages[0].Content) != 1 ||
		q.Output.Format.Type != "json_schema" || r.Header.Get("Anthropic-Version") == "" {
		http.Error(w, fmt.Sprintf(`{"type":"error","error":{"type":"invalid_request_error","message":"bad request: %v"}}`, err), http.StatusBadRequest)
		return
	}
	a := Asked{"anthropic", r.Header.Get("X-Api-Key"), q.Model, q.System[0].Text, q.Messages[0].Content[0].Text, q.MaxTokens, q.Output.Format.Schema}
	s.reply(w, r, a, func(reply Reply) any {
		stop := "end_turn"
		if reply.Cut {
			stop = "max_tokens"
		}
		return map[string]any{"id": "m", "type": "message", "role": "assistant", "model": q.Model, "stop_reason": stop, "content": []any{map[string]any{"type": "text", "text": reply.Text}},
			"usage": map[string]any{"input_tokens": InputTokens, "output_tokens": OutputTokens}}
	})
}

func (s *Server) reply(w http.ResponseWriter, r *http.Request, a Asked, body func(Reply) any) {
	s.Calls.Add(1)
	reply := s.answer(a)
	if reply.Wait != nil {
		select {
		case <-reply.Wait:
		case <-r.Context().Done():
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if reply.Status != 0 {
		w.WriteHeader(reply.Status)
	}
	if reply.Raw != "" {
		_, _ = w.Write([]byte(reply.Raw))
		return
	}
	_ = json.NewEncoder(w).Encode(body(reply))
}
