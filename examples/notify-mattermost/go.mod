module example.com/notify-mattermost

go 1.26
